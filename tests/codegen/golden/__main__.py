from tests.codegen.golden import EXPECTED, golden_files

for name, text in golden_files().items():
    EXPECTED.mkdir(exist_ok=True)
    (EXPECTED / name).write_text(text, encoding="utf-8")
