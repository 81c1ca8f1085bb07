package main

import (
	"fmt"
	"go/ast"
	"go/types"
	"strings"
)

// interfaceNames are the interfaces of package plugin that make up the contract.
var interfaceNames = []string{"Hooks", "API", "Driver"}

func extract(src *source) (*contract, error) {
	reached := newCollector(src)
	result := &contract{Module: publicModule, Version: src.version}
	for _, name := range interfaceNames {
		extracted, err := reached.extractInterface(name)
		if err != nil {
			return nil, err
		}
		result.Interfaces = append(result.Interfaces, extracted)
	}
	gobTypes, err := reached.gobTypes()
	if err != nil {
		return nil, err
	}
	result.GobTypes = gobTypes
	if result.Types, err = reached.declarations(); err != nil {
		return nil, err
	}
	result.Packages = reached.packages
	return result, nil
}

func (c *collector) extractInterface(name string) (iface, error) {
	object := c.src.plugin.Types.Scope().Lookup(name)
	if object == nil {
		return iface{}, fmt.Errorf("package plugin declares no %s", name)
	}
	goInterface, ok := object.Type().Underlying().(*types.Interface)
	if !ok {
		return iface{}, fmt.Errorf("plugin.%s is not an interface", name)
	}
	syntax, err := c.src.of(object.Pkg())
	if err != nil {
		return iface{}, err
	}
	declared := syntax.types[name]
	methods := map[string]*types.Signature{}
	for i := range goInterface.NumMethods() {
		methods[goInterface.Method(i).Name()] = goInterface.Method(i).Signature()
	}
	result := iface{Name: name, Doc: declared.doc, File: declared.file}
	for _, item := range declared.spec.Type.(*ast.InterfaceType).Methods.List {
		if len(item.Names) != 1 {
			return iface{}, fmt.Errorf("plugin.%s embeds another interface, which is not supported", name)
		}
		extracted, err := c.extractMethod(item, methods[item.Names[0].Name])
		if err != nil {
			return iface{}, fmt.Errorf("%s.%s: %w", name, item.Names[0].Name, err)
		}
		result.Methods = append(result.Methods, extracted)
	}
	return result, nil
}

func (c *collector) extractMethod(item *ast.Field, signature *types.Signature) (method, error) {
	doc := commentText(item.Doc, item.Comment)
	result := method{
		Name:                 item.Names[0].Name,
		Doc:                  doc,
		MinimumServerVersion: serverVersion(doc),
		Variadic:             signature.Variadic(),
	}
	var err error
	if result.Params, err = c.tuple(signature.Params()); err != nil {
		return method{}, err
	}
	if result.Results, err = c.tuple(signature.Results()); err != nil {
		return method{}, err
	}
	return result, nil
}

func (c *collector) tuple(tuple *types.Tuple) ([]param, error) {
	var result []param
	for variable := range tuple.Variables() {
		expr, err := c.expr(variable.Type())
		if err != nil {
			return nil, err
		}
		result = append(result, param{Name: variable.Name(), Type: expr})
	}
	return result, nil
}

// gobTypes finds the calls of gob.Register and gob.RegisterName in package plugin.
func (c *collector) gobTypes() ([]gobType, error) {
	var result []gobType
	var failure error
	for _, file := range c.src.plugin.Syntax {
		ast.Inspect(file, func(node ast.Node) bool {
			call, ok := node.(*ast.CallExpr)
			if !ok {
				return true
			}
			callee, ok := call.Fun.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			function, ok := c.src.plugin.TypesInfo.Uses[callee.Sel].(*types.Func)
			if !ok || function.Pkg() == nil || function.Pkg().Path() != "encoding/gob" {
				return true
			}
			registered, err := c.gobType(function.Name(), call.Args)
			if err != nil {
				failure = err
			} else if registered != nil {
				result = append(result, *registered)
			}
			return true
		})
	}
	return result, failure
}

func (c *collector) gobType(function string, args []ast.Expr) (*gobType, error) {
	if function != "Register" && function != "RegisterName" {
		return nil, nil
	}
	info := c.src.plugin.TypesInfo
	goType := info.TypeOf(args[len(args)-1])
	expr, err := c.expr(goType)
	if err != nil {
		return nil, fmt.Errorf("gob.%s(%s): %w", function, goType, err)
	}
	name := types.TypeString(goType, func(p *types.Package) string { return p.Name() })
	if function == "RegisterName" {
		constant := info.Types[args[0]].Value
		if constant == nil {
			return nil, fmt.Errorf("gob.RegisterName(%s): the name is not a constant", goType)
		}
		name = strings.Trim(constant.ExactString(), `"`)
	}
	return &gobType{Name: name, Type: expr}, nil
}
