package main

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"path"
	"path/filepath"
	"strings"

	"golang.org/x/tools/go/packages"
)

const (
	publicModule  = "github.com/mattermost/mattermost/server/public"
	pluginPackage = publicModule + "/plugin"
)

// source is server/public's package plugin, type-checked, and the syntax of every package below it.
type source struct {
	plugin  *packages.Package
	version string
	// all holds every package below, by import path, with all that it declares.
	all    map[string]*packages.Package
	syntax map[string]*packageSyntax
}

// packageSyntax is what only the source text of a package tells: order, files and comments.
type packageSyntax struct {
	types  map[string]typeSyntax
	consts []constSyntax
}

type typeSyntax struct {
	spec *ast.TypeSpec
	doc  string
	file string
}

type constSyntax struct {
	name string
	doc  string
}

func load(dir string) (*source, error) {
	roots, err := packages.Load(&packages.Config{
		Dir: dir,
		Mode: packages.NeedName | packages.NeedFiles | packages.NeedImports | packages.NeedModule |
			packages.NeedSyntax | packages.NeedTypes | packages.NeedTypesInfo,
	}, pluginPackage)
	if err != nil {
		return nil, fmt.Errorf("load %s: %w", pluginPackage, err)
	}
	if err := loadErrors(roots); err != nil {
		return nil, err
	}
	plugin := roots[0]
	if plugin.Module == nil {
		return nil, fmt.Errorf("%s belongs to no module", pluginPackage)
	}

	// The packages that the first load reaches only through others know no more than what those use of
	// them, so constants and aliases are looked up here.
	below, err := packages.Load(&packages.Config{
		Dir: dir,
		Mode: packages.NeedName | packages.NeedFiles | packages.NeedImports | packages.NeedDeps |
			packages.NeedTypes,
	}, pluginPackage)
	if err != nil {
		return nil, fmt.Errorf("load the packages below %s: %w", pluginPackage, err)
	}
	if err := loadErrors(below); err != nil {
		return nil, err
	}
	all := map[string]*packages.Package{}
	packages.Visit(below, nil, func(p *packages.Package) { all[p.PkgPath] = p })

	return &source{
		plugin:  plugin,
		version: plugin.Module.Version,
		all:     all,
		syntax:  map[string]*packageSyntax{},
	}, nil
}

func loadErrors(loaded []*packages.Package) error {
	var failures []error
	packages.Visit(loaded, nil, func(p *packages.Package) {
		for _, e := range p.Errors {
			failures = append(failures, e)
		}
	})
	return errors.Join(failures...)
}

// of returns the syntax of a package, parsing it on first use.
func (s *source) of(pkg *types.Package) (*packageSyntax, error) {
	if parsed, ok := s.syntax[pkg.Path()]; ok {
		return parsed, nil
	}
	known, ok := s.all[pkg.Path()]
	if !ok {
		return nil, fmt.Errorf("no source known for package %s", pkg.Path())
	}
	result := &packageSyntax{types: map[string]typeSyntax{}}
	fset := token.NewFileSet()
	// Only server/public's own comments belong to the contract.
	mode := parser.SkipObjectResolution
	if pkg.Path() == publicModule || strings.HasPrefix(pkg.Path(), publicModule+"/") {
		mode |= parser.ParseComments
	}
	for _, name := range known.GoFiles {
		file, err := parser.ParseFile(fset, name, nil, mode)
		if err != nil {
			return nil, fmt.Errorf("parse %s: %w", name, err)
		}
		result.add(file, path.Join(shortPath(pkg.Path()), filepath.Base(name)))
	}
	s.syntax[pkg.Path()] = result
	return result, nil
}

func (p *packageSyntax) add(file *ast.File, name string) {
	for _, decl := range file.Decls {
		gen, ok := decl.(*ast.GenDecl)
		if !ok {
			continue
		}
		for _, spec := range gen.Specs {
			switch spec := spec.(type) {
			case *ast.TypeSpec:
				doc := spec.Doc
				if doc == nil && len(gen.Specs) == 1 {
					doc = gen.Doc
				}
				p.types[spec.Name.Name] = typeSyntax{spec: spec, doc: commentText(doc, spec.Comment), file: name}
			case *ast.ValueSpec:
				if gen.Tok != token.CONST {
					continue
				}
				for _, ident := range spec.Names {
					p.consts = append(p.consts, constSyntax{ident.Name, commentText(spec.Doc, spec.Comment)})
				}
			}
		}
	}
}

// shortPath is an import path relative to server/public where it lies inside.
func shortPath(importPath string) string {
	if rest, ok := strings.CutPrefix(importPath, publicModule+"/"); ok {
		return rest
	}
	return importPath
}
