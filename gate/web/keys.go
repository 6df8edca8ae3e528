package web

// keysPage is what keys.html shows.
type keysPage struct{ layout }

// keys serves GET /keys.
func (w *web) keys(v *visit) error {
	return render(v.Ctx, "keys.html", keysPage{w.layout(v, "", "Keys")})
}
