package recipe

import "gopkg.in/yaml.v3"

// Tree gives the YAML tree of a recipe, without evaluating it: a mapping, with
// no aliases, anchors, tags or duplicate keys in it, under the limits of this
// package. Lines and columns of its nodes are those of every [Position]. A nil
// error says no more than that; errors are of type *[Error].
func Tree(path string, data []byte) (*yaml.Node, error) {
	doc, err := parseDocument(path, data)
	if err != nil {
		return nil, err
	}
	return doc.root, nil
}
