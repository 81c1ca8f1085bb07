package main

import (
	"fmt"
	"go/types"
	"maps"
	"slices"
)

// external are types that the contract names without looking into them: the generator knows what becomes
// of each (streams, the HTTP way, a timestamp).
var external = map[string]bool{
	"io.Reader":               true,
	"io.Writer":               true,
	"net/http.Request":        true,
	"net/http.Response":       true,
	"time.Time":               true,
	"net/http.ResponseWriter": true,
}

// collector turns go/types types into expressions and remembers every declared type it meets.
type collector struct {
	src      *source
	packages map[string]string       // package name -> import path
	named    map[string]*types.Named // key -> type
	pending  []string
}

func newCollector(src *source) *collector {
	return &collector{src: src, packages: map[string]string{}, named: map[string]*types.Named{}}
}

func (c *collector) expr(goType types.Type) (typeExpr, error) {
	switch t := types.Unalias(goType).(type) {
	case *types.Basic:
		return typeExpr{Kind: "basic", Name: t.Name()}, nil
	case *types.Pointer:
		return c.nested(typeExpr{Kind: "pointer"}, t.Elem())
	case *types.Slice:
		return c.nested(typeExpr{Kind: "slice"}, t.Elem())
	case *types.Array:
		return c.nested(typeExpr{Kind: "array", Length: t.Len()}, t.Elem())
	case *types.Map:
		key, err := c.expr(t.Key())
		if err != nil {
			return typeExpr{}, err
		}
		return c.nested(typeExpr{Kind: "map", Key: &key}, t.Elem())
	case *types.Interface:
		if t.Empty() {
			return typeExpr{Kind: "any"}, nil
		}
	case *types.Named:
		return c.namedExpr(t)
	}
	return typeExpr{}, fmt.Errorf("type %s is not supported", goType)
}

func (c *collector) nested(outer typeExpr, elem types.Type) (typeExpr, error) {
	inner, err := c.expr(elem)
	if err != nil {
		return typeExpr{}, err
	}
	outer.Elem = &inner
	return outer, nil
}

func (c *collector) namedExpr(t *types.Named) (typeExpr, error) {
	object := t.Obj()
	if object.Pkg() == nil {
		if object.Name() == "error" {
			return typeExpr{Kind: "error"}, nil
		}
		return typeExpr{}, fmt.Errorf("predeclared type %s is not supported", object.Name())
	}
	key := types.TypeString(t, func(p *types.Package) string { return p.Name() })
	if known, ok := c.packages[object.Pkg().Name()]; ok && known != object.Pkg().Path() {
		return typeExpr{}, fmt.Errorf("packages %s and %s have the same name", known, object.Pkg().Path())
	}
	c.packages[object.Pkg().Name()] = object.Pkg().Path()
	if external[object.Pkg().Path()+"."+object.Name()] {
		return typeExpr{Kind: "external", Name: key}, nil
	}
	if _, ok := c.named[key]; !ok {
		c.named[key] = t
		c.pending = append(c.pending, key)
	}
	return typeExpr{Kind: "named", Name: key}, nil
}

// declarations describes every declared type met so far and those that they reach in turn.
func (c *collector) declarations() ([]typeDecl, error) {
	described := map[string]typeDecl{}
	for len(c.pending) > 0 {
		key := c.pending[0]
		c.pending = c.pending[1:]
		decl, err := c.declaration(key, c.named[key])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", key, err)
		}
		described[key] = decl
	}
	result := make([]typeDecl, 0, len(described))
	for _, key := range slices.Sorted(maps.Keys(described)) {
		result = append(result, described[key])
	}
	return result, nil
}
