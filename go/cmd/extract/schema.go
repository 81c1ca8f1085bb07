package main

// These structs are the shape of schema/model.json; codegen/model.py reads the same shape.

type contract struct {
	Module     string            `json:"module"`
	Version    string            `json:"version"`
	Packages   map[string]string `json:"packages"`
	Interfaces []iface           `json:"interfaces"`
	Types      []typeDecl        `json:"types"`
	GobTypes   []gobType         `json:"gob_types"`
}

type iface struct {
	Name    string   `json:"name"`
	Doc     string   `json:"doc,omitempty"`
	File    string   `json:"file"`
	Methods []method `json:"methods"`
}

type method struct {
	Name                 string  `json:"name"`
	Doc                  string  `json:"doc,omitempty"`
	MinimumServerVersion string  `json:"minimum_server_version,omitempty"`
	Params               []param `json:"params,omitempty"`
	Results              []param `json:"results,omitempty"`
	Variadic             bool    `json:"variadic,omitempty"`
}

type param struct {
	Name string   `json:"name,omitempty"`
	Type typeExpr `json:"type"`
}

type typeExpr struct {
	Kind   string    `json:"kind"`
	Name   string    `json:"name,omitempty"`
	Key    *typeExpr `json:"key,omitempty"`
	Elem   *typeExpr `json:"elem,omitempty"`
	Length int64     `json:"length,omitempty"`
}

type typeDecl struct {
	Key        string         `json:"key"`
	Name       string         `json:"name"`
	Package    string         `json:"package"`
	File       string         `json:"file"`
	Doc        string         `json:"doc,omitempty"`
	IsStruct   bool           `json:"is_struct,omitempty"`
	Fields     []field        `json:"fields,omitempty"`
	Omitted    []omittedField `json:"omitted,omitempty"`
	Underlying *typeExpr      `json:"underlying,omitempty"`
	Constants  []constantDecl `json:"constants,omitempty"`
	TypeArgs   []typeExpr     `json:"type_args,omitempty"`
	Aliases    []string       `json:"aliases,omitempty"`
}

type field struct {
	Name     string   `json:"name"`
	Type     typeExpr `json:"type"`
	Doc      string   `json:"doc,omitempty"`
	Embedded bool     `json:"embedded,omitempty"`
	JSONName string   `json:"json_name,omitempty"`
}

type omittedField struct {
	Name   string `json:"name"`
	Reason string `json:"reason"`
}

type constantDecl struct {
	Name  string `json:"name"`
	Value any    `json:"value"`
	Doc   string `json:"doc,omitempty"`
}

type gobType struct {
	Name string   `json:"name"`
	Type typeExpr `json:"type"`
}
