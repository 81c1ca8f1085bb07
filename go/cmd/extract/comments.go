package main

import (
	"go/ast"
	"regexp"
	"strings"
)

// minimumVersion finds the statement that plugin.Hooks and plugin.API make in their comments.
var minimumVersion = regexp.MustCompile(`(?i)minimum server version:\s*v?(\d+)\.(\d+)`)

// commentText joins the comment above a declaration and the one behind it.
func commentText(above, behind *ast.CommentGroup) string {
	text := strings.TrimSpace(above.Text())
	if trailing := strings.TrimSpace(behind.Text()); trailing != "" {
		if text != "" {
			text += "\n"
		}
		text += trailing
	}
	return text
}

// serverVersion returns the "x.y" that a method's comment names, or "".
func serverVersion(doc string) string {
	match := minimumVersion.FindStringSubmatch(doc)
	if match == nil {
		return ""
	}
	return match[1] + "." + match[2]
}
