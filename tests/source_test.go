package tests

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"strconv"
	"strings"
	"sync"
	"testing"
)

var root = os.DirFS("..")

// repository is the tree that these tests stand in.
func repository(t *testing.T) fs.FS {
	t.Helper()
	if _, err := fs.Stat(root, "go.work"); err != nil {
		t.Fatalf("the root of the repository: %v", err)
	}
	return root
}

// files is every file of the repository, but for what tools put there.
func files(repo fs.FS) []string {
	var names []string
	err := fs.WalkDir(repo, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		hidden := strings.HasPrefix(entry.Name(), ".") && name != "." && entry.Name() != ".ci"
		switch {
		case entry.IsDir() && (hidden || name == "bin" || name == "data" || entry.Name() == "node_modules"):
			return fs.SkipDir
		case entry.Type().IsRegular():
			names = append(names, name)
		}
		return nil
	})
	if err != nil {
		panic(err)
	}
	return names
}

// named is every file whose name ends so.
func named(repo fs.FS, suffix string) []string {
	var names []string
	for _, name := range files(repo) {
		if strings.HasSuffix(name, suffix) {
			names = append(names, name)
		}
	}
	return names
}

func text(repo fs.FS, name string) string {
	body, err := fs.ReadFile(repo, name)
	if err != nil {
		panic(err)
	}
	return string(body)
}

// goFile is a parsed source file.
type goFile struct {
	path string // from the root, with slashes
	test bool
	tree *ast.File

	words func() map[string]int // how often it has an identifier or a string, by it
}

func newGoFile(name string, tree *ast.File) goFile {
	return goFile{
		path: name, test: strings.HasSuffix(name, "_test.go"), tree: tree,
		words: sync.OnceValue(func() map[string]int { return words(tree) }),
	}
}

func words(tree *ast.File) map[string]int {
	said := map[string]int{}
	ast.Inspect(tree, func(node ast.Node) bool {
		switch node := node.(type) {
		case *ast.Ident:
			said[node.Name]++
		case *ast.BasicLit:
			if node.Kind == token.STRING {
				said[unquoted(node)]++
			}
		}
		return true
	})
	return said
}

// goFiles is every Go file of the repository, parsed.
func goFiles(repo fs.FS) []goFile {
	if repo == root {
		return ownFiles()
	}
	return parse(repo)
}

// ownFiles is those of the tree that these tests stand in, which many ask for.
var ownFiles = sync.OnceValue(func() []goFile { return parse(root) })

func parse(repo fs.FS) []goFile {
	var parsed []goFile
	for _, name := range named(repo, ".go") {
		tree, err := parser.ParseFile(token.NewFileSet(), name, text(repo, name), parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			panic(err)
		}
		parsed = append(parsed, newGoFile(name, tree))
	}
	return parsed
}

// packages is the Go files by their folder.
func packages(repo fs.FS) map[string][]goFile {
	folders := map[string][]goFile{}
	for _, file := range goFiles(repo) {
		folders[path.Dir(file.path)] = append(folders[path.Dir(file.path)], file)
	}
	return folders
}

func (f goFile) imports() []string {
	var imported []string
	for _, spec := range f.tree.Imports {
		imported = append(imported, unquoted(spec.Path))
	}
	return imported
}

// says tells whether the file has an identifier or a string of exactly these words.
func (f goFile) says(words string) bool { return f.count(words) > 0 }

func (f goFile) count(words string) int { return f.words()[words] }

// uses is how often the file says package.Name.
func (f goFile) uses(pkg string, names ...string) int {
	n := 0
	ast.Inspect(f.tree, func(node ast.Node) bool {
		selector, ok := node.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		if from, ok := selector.X.(*ast.Ident); ok && from.Name == pkg {
			for _, name := range names {
				if selector.Sel.Name == name {
					n++
				}
			}
		}
		return true
	})
	return n
}

func unquoted(literal *ast.BasicLit) string {
	words, err := strconv.Unquote(literal.Value)
	if err != nil {
		panic(err)
	}
	return words
}
