package main

import (
	"fmt"
	"go/ast"
	"go/constant"
	"go/types"
	"reflect"
	"slices"
	"strings"
)

// declaration describes one declared type.
func (c *collector) declaration(key string, t *types.Named) (typeDecl, error) {
	object := t.Obj()
	syntax, err := c.src.of(object.Pkg())
	if err != nil {
		return typeDecl{}, err
	}
	declared, ok := syntax.types[object.Name()]
	if !ok {
		return typeDecl{}, fmt.Errorf("declaration of %s.%s not found", object.Pkg().Path(), object.Name())
	}
	result := typeDecl{
		Key:     key,
		Name:    object.Name(),
		Package: object.Pkg().Path(),
		File:    declared.file,
		Doc:     declared.doc,
		Aliases: aliases(t, c.src.all[object.Pkg().Path()].Types.Scope()),
	}
	if args := t.TypeArgs(); args != nil {
		for arg := range args.Types() {
			expr, err := c.expr(arg)
			if err != nil {
				return typeDecl{}, err
			}
			result.TypeArgs = append(result.TypeArgs, expr)
		}
	}
	if structure, ok := t.Underlying().(*types.Struct); ok {
		result.IsStruct = true
		return result, c.structFields(&result, structure, declared.spec)
	}
	underlying, err := c.expr(t.Underlying())
	if err != nil {
		return typeDecl{}, err
	}
	result.Underlying = &underlying
	result.Constants = constants(t, syntax, c.src.all[object.Pkg().Path()].Types.Scope())
	return result, nil
}

func (c *collector) structFields(decl *typeDecl, structure *types.Struct, spec *ast.TypeSpec) error {
	docs := fieldDocs(spec)
	for i := range structure.NumFields() {
		goField := structure.Field(i)
		if reason := omissionReason(goField); reason != "" {
			decl.Omitted = append(decl.Omitted, omittedField{goField.Name(), reason})
			continue
		}
		expr, err := c.expr(goField.Type())
		if err != nil {
			return fmt.Errorf("field %s: %w", goField.Name(), err)
		}
		jsonName, _, _ := strings.Cut(reflect.StructTag(structure.Tag(i)).Get("json"), ",")
		decl.Fields = append(decl.Fields, field{
			Name:     goField.Name(),
			Type:     expr,
			Doc:      docs[goField.Name()],
			Embedded: goField.Embedded(),
			JSONName: jsonName,
		})
	}
	return nil
}

// omissionReason says why no encoding carries a field, or "".
func omissionReason(goField *types.Var) string {
	if !goField.Exported() {
		return "unexported"
	}
	switch goField.Type().Underlying().(type) {
	case *types.Signature:
		return "func"
	case *types.Chan:
		return "chan"
	}
	return ""
}

func fieldDocs(spec *ast.TypeSpec) map[string]string {
	structure, ok := spec.Type.(*ast.StructType)
	if !ok {
		// Such as "type A B", whose fields are documented at B.
		return map[string]string{}
	}
	docs := map[string]string{}
	for _, item := range structure.Fields.List {
		doc := commentText(item.Doc, item.Comment)
		for _, name := range item.Names {
			docs[name.Name] = doc
		}
		if len(item.Names) == 0 {
			docs[embeddedName(item.Type)] = doc
		}
	}
	return docs
}

func embeddedName(expr ast.Expr) string {
	switch expr := expr.(type) {
	case *ast.StarExpr:
		return embeddedName(expr.X)
	case *ast.SelectorExpr:
		return expr.Sel.Name
	case *ast.IndexExpr:
		return embeddedName(expr.X)
	case *ast.Ident:
		return expr.Name
	}
	return ""
}

// constants lists the exported constants declared with a type, in source order.
func constants(t *types.Named, syntax *packageSyntax, scope *types.Scope) []constantDecl {
	if _, ok := t.Underlying().(*types.Basic); !ok {
		return nil
	}
	var result []constantDecl
	for _, declared := range syntax.consts {
		object, ok := scope.Lookup(declared.name).(*types.Const)
		if !ok || !object.Exported() || !sameName(object.Type(), t) {
			continue
		}
		result = append(result, constantDecl{Name: declared.name, Value: constantValue(object.Val()), Doc: declared.doc})
	}
	return result
}

func constantValue(value constant.Value) any {
	switch value.Kind() {
	case constant.String:
		return constant.StringVal(value)
	case constant.Int:
		if exact, ok := constant.Int64Val(value); ok {
			return exact
		}
	}
	return value.ExactString()
}

// aliases lists the exported names that a type's package declares for it with "type A = T".
func aliases(t *types.Named, scope *types.Scope) []string {
	var result []string
	for _, name := range scope.Names() {
		object, ok := scope.Lookup(name).(*types.TypeName)
		if ok && object.IsAlias() && object.Exported() && sameName(types.Unalias(object.Type()), t) {
			result = append(result, name)
		}
	}
	slices.Sort(result)
	return result
}

// sameName says whether a type is t, which may come from another load of the same package.
func sameName(goType types.Type, t *types.Named) bool {
	named, ok := goType.(*types.Named)
	return ok && named.String() == t.String()
}
