"""Every code that the doctor knows: its severity, its title, an example and the fix. The reference page is made from this."""

from __future__ import annotations

from tunesmith.domains.datasets.doctor.code import AMBER, GREEN, RED, Code
from tunesmith.domains.datasets.doctor.codes_of_answers import LEARNING, LEARNING_CODES, QUALITY, QUALITY_CODES
from tunesmith.domains.datasets.doctor.codes_of_privacy import PRIVACY_CODES

__all__ = ["CODES", "LEARNING", "QUALITY", "Code"]

_STRUCTURE_CODES = (
    Code("empty-file", RED, "The file has no rows", "a file of blank lines", "Put at least one row into the file."),
    Code(
        "broken-json",
        RED,
        "The record is not valid JSON",
        '{"prompt": "Hi", "completion": "Hello"',
        "Correct the JSON at the place that is named; often a quotation mark, comma or bracket is missing.",
    ),
    Code(
        "not-an-object",
        RED,
        "The record is not an object",
        '["user", "assistant"]',
        "Write the row as an object with named fields between { and }.",
    ),
    Code(
        "missing-field",
        RED,
        "A required field is missing",
        '{"prompt": "Hi"}',
        "Add the field, or rename the one that holds its value.",
    ),
    Code(
        "wrong-type",
        RED,
        "A field has the wrong type",
        '{"prompt": "Hi", "completion": 42}',
        "Write the value in the type that is expected.",
    ),
    Code(
        "unknown-role",
        RED,
        "A turn has an unknown role",
        '{"role": "human", "content": "Hi"}',
        "Use the roles system, user, assistant and tool.",
    ),
    Code(
        "wrong-role-order",
        RED,
        "Turns are in the wrong order",
        "user, user, assistant",
        "Let user and assistant alternate, after at most one system turn at the start; the results of tools follow the "
        "assistant's call.",
    ),
    Code(
        "bad-tool-call",
        RED,
        "A call of a tool cannot be read",
        '{"function": {"name": "weather", "arguments": "Seoul"}}',
        'Write {"function": {"name": …, "arguments": {…}}}; the arguments are an object, or one as JSON text.',
    ),
    Code(
        "chosen-equals-rejected",
        RED,
        "The chosen and the rejected answer are the same",
        '{"prompt": "When?", "chosen": "At noon.", "rejected": "At noon."}',
        "Write an answer that is worse, or remove the row: it teaches no preference.",
    ),
    Code(
        "no-shared-prompt",
        RED,
        "A preference pair has no prompt",
        '{"chosen": "At noon.", "rejected": "No idea."}',
        "Add the field `prompt`, or begin both answers with the same turns.",
    ),
    Code(
        "bad-label",
        RED,
        "A label is neither true nor false",
        '{"prompt": "When?", "completion": "At noon.", "label": "perhaps"}',
        "Write true for an answer that is good and false for one that is not.",
    ),
    Code(
        "no-assistant",
        RED,
        "No turn is the assistant's",
        '{"messages": [{"role": "user", "content": "Hi"}]}',
        "Add the assistant's answer, or remove the row: there is nothing to learn from it.",
    ),
    Code(
        "empty-turn",
        RED,
        "A question or an answer is empty",
        '{"role": "assistant", "content": "  "}',
        "Write the text, or remove the row.",
    ),
    Code(
        "invalid-encoding",
        RED,
        "The record is not proper Unicode text",
        "the byte b0 alone",
        "Save the file as UTF-8, and write the record again.",
    ),
    Code(
        "row-too-large",
        RED,
        "The record is over the size limit",
        "a record of 20 MiB",
        "Split the record, or raise TUNESMITH_DATASETS__MAX_ROW_BYTES.",
    ),
    Code(
        "column-count",
        RED,
        "A CSV record has too many or too few columns",
        "a,b,c under the header prompt,completion",
        'Put fields that contain commas between quotation marks: "a, b".',
    ),
    Code(
        "unpacking-stopped",
        RED,
        "The packed file could not be unpacked to its end",
        "a .gz file that was cut off while it was copied",
        "Pack the file again and upload it, or upload it unpacked; the rows before this place are kept.",
    ),
    Code(
        "unclosed-quote",
        RED,
        "A quotation mark in a CSV file is not closed or not doubled",
        '"Hello,world',
        'Close the quotation mark, and write "" for one inside a quoted field.',
    ),
    Code(
        "last-turn-not-assistant",
        AMBER,
        "The last turn is not the assistant's",
        "user, assistant, user",
        "End with the assistant's answer; the last turn teaches nothing.",
    ),
    Code(
        "tool-call-mismatch",
        AMBER,
        "The result of a tool belongs to no call",
        '{"role": "tool", "tool_call_id": "call_9", "content": "19 °C"}',
        "Write the id of the call that it answers, or remove the turn.",
    ),
    Code(
        "control-character",
        AMBER,
        "A text holds an invisible control character",
        "Hello\\u0007",
        "Remove the character.",
    ),
    Code(
        "mojibake",
        AMBER,
        "A text was decoded with the wrong encoding",
        "ì•ˆë…• for 안녕",
        "Decode the source as UTF-8; the repaired text is shown where it can be told.",
    ),
    Code(
        "exact-duplicate",
        AMBER,
        "The row repeats an earlier one",
        "the same prompt and answer twice",
        "Remove one of the two rows, unless the weight is meant.",
    ),
    Code(
        "near-duplicate",
        AMBER,
        "The row is nearly the same as another",
        "Row 7: 97 % the same as row 2",
        "Keep one of the two rows, unless the small difference is what is to be learned.",
    ),
    Code(
        "leaks-into-evaluation",
        AMBER,
        "The row is in the validation or test data, too",
        "the prompt of row 7 is row 2 of ferry-test",
        "Remove the row here or there: what was trained on cannot be judged by.",
    ),
    Code(
        "contradictory-answers",
        AMBER,
        "The same prompt has another answer elsewhere",
        "two answers to one question",
        "Keep the right answer, or make the prompts differ.",
    ),
    Code(
        "type-drift",
        AMBER,
        "A field changes its type from row to row",
        '{"id": 7} then {"id": "seven"}',
        "Write the field in one type in all rows.",
    ),
    Code(
        "duplicate-key",
        AMBER,
        "A key occurs twice in one object",
        '{"prompt": "a", "prompt": "b"}',
        "Remove or rename one of the two.",
    ),
    Code(
        "extra-field",
        GREEN,
        "A field is not used for training",
        '{"prompt": "a", "completion": "b", "id": 7}',
        "Nothing, unless it was meant to be another field.",
    ),
    Code(
        "mapped-columns",
        GREEN,
        "Columns are read under the names of the format",
        "`질문` → `question`, `답변` → `answer`",
        "Nothing, if the mapping is right; else map the columns of the dataset anew.",
    ),
    Code("blank-line", GREEN, "A line is blank", "an empty line between two rows", "Nothing; it is passed over."),
    Code(
        "encoding-bom",
        GREEN,
        "The file begins with a byte order mark",
        "ef bb bf",
        "Nothing; it is passed over. Other programs may want UTF-8 without it.",
    ),
)
CODES: dict[str, Code] = {
    code.slug: code for code in (*_STRUCTURE_CODES, *LEARNING_CODES, *QUALITY_CODES, *PRIVACY_CODES)
}
