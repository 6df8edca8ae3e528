package seal

import (
	"encoding/json"
	"fmt"
)

// SealObject encrypts named secrets for one place, together. Blank ones are left
// out; without any it is nil.
func (b *Box) SealObject(place string, secrets map[string]string) ([]byte, error) {
	kept := map[string]string{}
	for name, s := range secrets {
		if s != "" {
			kept[name] = s
		}
	}
	if len(kept) == 0 {
		return nil, nil
	}
	text, err := json.Marshal(kept)
	if err != nil {
		return nil, err
	}
	return b.Seal(place, text), nil
}

// OpenObject decrypts what SealObject made for the place.
func (b *Box) OpenObject(place string, sealed []byte) (map[string]string, error) {
	text, err := b.Open(place, sealed)
	if err != nil || text == nil {
		return map[string]string{}, err
	}
	secrets := map[string]string{}
	if err := json.Unmarshal(text, &secrets); err != nil {
		return nil, fmt.Errorf("the secrets of %s are not readable", place) // the cause would show some of them
	}
	return secrets, nil
}
