package fastgob

import "github.com/mattermost-plugin/mattermost-plugin/go/internal/gobwire"

// wireType is a type as the other side has described it.
type wireType struct {
	kind   int
	fields []wireField // of a struct
	key    int64       // of a map
	elem   int64       // of a list or a map
}

type wireField struct {
	name string
	id   int64
}

// Which field of a description there is says what is described. Lists are slices.
const (
	kindSlice  = 1
	kindStruct = 2
	kindMap    = 3
)

// described reads a description; nil if it is of something that encoding/gob decodes.
func described(in []byte) *wireType {
	r := reader{in: in}
	out := &wireType{kind: int(r.uint()) - 1}
	switch out.kind {
	case kindSlice: // common, elem
		r.each(func(field int) {
			switch field {
			case 0:
				r.wireField() // its own, which the message has as well
			case 1:
				out.elem = gobwire.ToInt(r.uint())
			}
		})
	case kindMap: // common, key, elem
		r.each(func(field int) {
			switch field {
			case 0:
				r.wireField() // its own, which the message has as well
			case 1:
				out.key = gobwire.ToInt(r.uint())
			case 2:
				out.elem = gobwire.ToInt(r.uint())
			}
		})
	case kindStruct: // common, fields
		r.each(func(field int) {
			switch field {
			case 0:
				r.wireField() // its own, which the message has as well
			case 1:
				for n := r.uint(); n > 0 && !r.refused; n-- {
					out.fields = append(out.fields, r.wireField())
				}
			}
		})
	default:
		return nil
	}
	if r.uint() != 0 || r.refused || len(r.in) > 0 {
		return nil
	}
	return out
}

// each reads a struct of a description: those of its fields that there are.
func (r *reader) each(read func(field int)) {
	field := -1
	for {
		delta := int(r.uint())
		if delta == 0 || r.refused {
			return
		}
		if field += delta; field < 0 || field > 2 {
			r.refused = true
			return
		}
		read(field)
	}
}

// wireField reads a name and an id.
func (r *reader) wireField() (out wireField) {
	r.each(func(field int) {
		if field == 0 {
			out.name = string(r.octets())
		} else {
			out.id = gobwire.ToInt(r.uint())
		}
	})
	return out
}
