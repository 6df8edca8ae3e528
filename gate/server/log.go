package server

import (
	"context"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"

	"gopkg.in/natefinch/lumberjack.v2"
)

// openLog makes the program's log, lines of JSON, and returns what closes it.
func openLog(cfg Config) (io.Closer, error) {
	var w io.WriteCloser = keepOpen{os.Stderr}
	if cfg.LogFile != "" {
		if err := writable(cfg.LogFile); err != nil {
			return nil, err
		}
		w = &lumberjack.Logger{Filename: cfg.LogFile, MaxSize: 20, MaxBackups: 4}
	}
	slog.SetDefault(slog.New(attrsHandler{slog.NewJSONHandler(w, &slog.HandlerOptions{Level: cfg.LogLevel})}))
	return w, nil
}

// writable makes the file, closed to others, if it is not there.
func writable(file string) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(file, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}

// keepOpen is standard error, which is not ours to close.
type keepOpen struct{ io.Writer }

func (keepOpen) Close() error { return nil }

type attrsKey struct{}

// withAttrs returns a context whose lines of the log carry attrs.
func withAttrs(ctx context.Context, attrs ...slog.Attr) context.Context {
	had, _ := ctx.Value(attrsKey{}).([]slog.Attr)
	return context.WithValue(ctx, attrsKey{}, append(slices.Clip(had), attrs...))
}

// attrsHandler adds a context's attributes to a line.
type attrsHandler struct{ slog.Handler }

// Handle writes the line.
func (h attrsHandler) Handle(ctx context.Context, r slog.Record) error {
	attrs, _ := ctx.Value(attrsKey{}).([]slog.Attr)
	r.AddAttrs(attrs...)
	return h.Handler.Handle(ctx, r)
}

// WithAttrs keeps the context's attributes.
func (h attrsHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return attrsHandler{h.Handler.WithAttrs(attrs)}
}

// WithGroup keeps the context's attributes.
func (h attrsHandler) WithGroup(name string) slog.Handler {
	return attrsHandler{h.Handler.WithGroup(name)}
}
