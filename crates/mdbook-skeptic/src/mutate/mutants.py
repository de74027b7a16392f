"""Mutants of a Python program, as JSON: `[[kind, line, change, text], …]`.

usage: python -c SCRIPT PROGRAM FIRST LAST

"assertion" is each assertion inverted, in the whole program. "code" is each
small change of the lines FIRST to LAST, from 1: a call of a method chain, a
statement, a keyword argument, an operand of `and` and `or`, an alternative of a
pattern, of `except` or of `in` taken out, a number times ten. Each text is the
whole program.
"""
import ast
import copy
import json
import sys

program, first, last = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
tree = ast.parse(program)
mutants = []


def short(node):
    text = " ".join(ast.unparse(node).split())
    return text if len(text) <= 60 else text[:59] + "…"


def mutant(kind, node, change, edit):
    """`edit` changes the tree, and gives back what takes the change back."""
    undo = edit()
    text = ast.unparse(ast.fix_missing_locations(copy.deepcopy(tree)))
    undo()
    mutants.append([kind, node.lineno, change, text + "\n"])


def put(owner, field, new):
    def edit():
        old = getattr(owner, field)
        setattr(owner, field, new)
        return lambda: setattr(owner, field, old)

    return edit


def at(nodes, index, *new):
    def edit():
        old = nodes[index]
        nodes[index : index + 1] = new

        def undo():
            nodes[index : index + len(new)] = [old]

        return undo

    return edit


def without_one(node, nodes, what):
    for index, one in enumerate(nodes):
        if len(nodes) > 1:
            mutant("code", node, f"`{short(one)}` {what}", at(nodes, index))


KEPT = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef)
KEPT += (ast.ClassDef, ast.Pass, ast.Global, ast.Nonlocal)


def is_docstring(node):
    value = getattr(node, "value", None)
    text = getattr(value, "value", None)
    return isinstance(node, ast.Expr) and isinstance(text, str)


def statements(nodes):
    for index, node in enumerate(nodes):
        if isinstance(node, KEPT) or is_docstring(node):
            continue
        if first <= node.lineno <= last:
            change = f"`{short(node)}` removed"
            mutant("code", node, change, at(nodes, index, ast.Pass()))


def expression(owner, field, node, index=None):
    """Mutants of one expression, which stands in a field of its owner."""

    def replace(new):
        if index is None:
            return put(owner, field, new)
        return at(getattr(owner, field), index, new)

    match node:
        case ast.Call(func=ast.Attribute(value=ast.Call() as inner) as func):
            call = ast.unparse(node)[len(ast.unparse(func.value)) :]
            call = " ".join(call.split())[:60]
            mutant("code", node, f"`{call}` removed", replace(inner))
        case ast.Constant(value=bool()):
            pass
        case ast.Constant(value=int() | float() as number):
            new = 10 * number if number else 1
            change = f"`{number}` is `{new}`"
            mutant("code", node, change, replace(ast.Constant(new)))
        case ast.BoolOp(values=values):
            without_one(node, values, "removed")
        case ast.Compare(
            ops=[ast.In() | ast.NotIn()],
            comparators=[ast.Tuple(elts=elts) | ast.Set(elts=elts)],
        ):
            without_one(node, elts, "removed")
    if isinstance(node, ast.Call):
        for at_, keyword in enumerate(node.keywords):
            change = f"`{short(keyword)}` removed"
            mutant("code", node, change, at(node.keywords, at_))


for node in list(ast.walk(tree)):
    if isinstance(node, ast.Assert):
        inverted = ast.UnaryOp(ast.Not(), node.test)
        mutant("assertion", node, "", put(node, "test", inverted))
    for field in ("body", "orelse", "finalbody"):
        if isinstance(getattr(node, field, None), list):
            statements(getattr(node, field))
    if isinstance(node, ast.ExceptHandler) and isinstance(node.type, ast.Tuple):
        if first <= node.lineno <= last:
            without_one(node, node.type.elts, "removed")
    if isinstance(node, ast.MatchOr) and first <= node.lineno <= last:
        without_one(node, node.patterns, "removed")
    for field, value in ast.iter_fields(node):
        values = value if isinstance(value, list) else [value]
        for index, child in enumerate(values):
            inside = first <= getattr(child, "lineno", 0) <= last
            if isinstance(child, ast.expr) and inside:
                where = index if isinstance(value, list) else None
                expression(node, field, child, where)

json.dump(mutants, sys.stdout)
