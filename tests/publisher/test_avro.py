"""Avro: round trips, bytes that never change, an independent reader, and why a record does not fit."""

import io
import os
import struct
import time
from datetime import UTC, date, datetime, timedelta, timezone
from importlib import resources
from typing import Any

import fastavro
import pytest
from hypothesis import given
from hypothesis import strategies as st

from janitor.publisher import BadMessage, Schema

STATUS = Schema.load("janitor.tasks.sequencing_publisher", "message_schemas/sample_sequence_status.avsc")
RECORD: dict[str, Any] = {
    "change_date": datetime(2026, 7, 1, 12, 0, 0, 250_000, tzinfo=UTC),
    "id_run": 48123,
    "sequencing_study": "Heron",
    "sample_supplier_id": "Ünit 7",
    "labware_barcode": "SQPD-0042",
    "run_status": -3,
    "irods_root_collection": "/seq/48123",
    "irods_data_relative_path": "lane1/a.cram;lane2/b.cram",
    "irods_secondary_data_relative_path": None,
}
GOLDEN = (
    "c301"
    "2386c17bc37c3d38"
    "f48be7d8e367"
    "f6ef05"
    "0a4865726f6e"
    "0ec39c6e69742037"
    "12535150442d30303432"
    "05"
    "02142f7365712f3438313233"
    "02326c616e65312f612e6372616d3b6c616e65322f622e6372616d"
    "00"
)
CANONICAL = (
    '{"name":"uk.ac.sanger.psd.SampleSequenceStatus","type":"record","fields":['
    '{"name":"change_date","type":"long"},{"name":"id_run","type":"int"},'
    '{"name":"sequencing_study","type":"string"},{"name":"sample_supplier_id","type":"string"},'
    '{"name":"labware_barcode","type":"string"},{"name":"run_status","type":"int"},'
    '{"name":"irods_root_collection","type":["null","string"]},'
    '{"name":"irods_data_relative_path","type":["null","string"]},'
    '{"name":"irods_secondary_data_relative_path","type":["null","string"]}]}'
)
EVERY_TYPE = Schema.parse(
    {
        "type": "record",
        "name": "Every",
        "fields": [
            {"name": "flag", "type": "boolean"},
            {"name": "number", "type": "long"},
            {"name": "share", "type": ["double", "null"]},
            {"name": "at", "type": ["null", {"type": "long", "logicalType": "timestamp-millis"}]},
        ],
    }
)


def milliseconds(value: datetime) -> datetime:
    return value.replace(microsecond=value.microsecond // 1000 * 1000)


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
zones = st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=30)), timezone(timedelta(hours=-8))])
instants = st.datetimes(datetime(1, 1, 3), datetime(9999, 12, 29), timezones=zones).map(milliseconds)
ints = st.integers(-(2**31), 2**31 - 1)
longs = st.integers(-(2**63), 2**63 - 1)
paths = st.none() | texts
records: st.SearchStrategy[dict[str, Any]] = st.builds(
    dict,
    change_date=instants,
    id_run=ints,
    sequencing_study=texts,
    sample_supplier_id=texts | st.just("x" * 5000),
    labware_barcode=texts,
    run_status=ints,
    irods_root_collection=paths,
    irods_data_relative_path=paths,
    irods_secondary_data_relative_path=paths,
)
of_every_type: st.SearchStrategy[dict[str, Any]] = st.builds(
    dict,
    flag=st.booleans(),
    number=longs,
    share=st.none() | st.floats(allow_nan=False, allow_infinity=False),
    at=st.none() | instants,
)


class Reader:
    """Reads Avro's binary encoding by the specification's text alone."""

    def __init__(self, data: bytes) -> None:
        self.data = io.BytesIO(data)

    def number(self) -> int:
        total, shift = 0, 0
        while True:
            (byte,) = self.data.read(1)
            total |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return (total >> 1) ^ -(total & 1)

    def text(self) -> str:
        return self.data.read(self.number()).decode()

    def maybe_text(self) -> str | None:
        return self.text() if self.number() == 1 else None

    def instant(self) -> datetime:
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=self.number())

    def status(self) -> dict[str, Any]:
        readers = [self.instant, self.number, *[self.text] * 3, self.number, *[self.maybe_text] * 3]
        return {name: read() for name, read in zip(RECORD, readers, strict=True)}


def crc_64_avro(data: bytes) -> int:
    """The fingerprint as the specification defines it, bit by bit."""
    empty = 0xC15D213AA4D7A795
    crc = empty
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (empty if crc & 1 else 0)
    return crc


def by_fastavro(schema: Schema, record: dict[str, Any]) -> bytes:
    out = io.BytesIO()
    fastavro.schemaless_writer(out, schema.parsed, record)
    return out.getvalue()


def test_known_record_encodes_to_known_bytes() -> None:
    assert STATUS.encode(RECORD).hex() == GOLDEN


def test_fingerprint_is_the_specifications_crc() -> None:
    assert STATUS.fingerprint == struct.pack("<Q", crc_64_avro(CANONICAL.encode()))
    assert STATUS.name == "uk.ac.sanger.psd.SampleSequenceStatus"


def test_digest_of_a_known_record_never_changes() -> None:
    assert STATUS.digest(RECORD).hex() == "28712a62cfdac68203bafae56bb7566d"


def test_schema_has_the_fields_in_order_each_with_a_doc() -> None:
    path = resources.files("janitor.tasks.sequencing_publisher") / "message_schemas/sample_sequence_status.avsc"
    declared: Any = fastavro.schema.load_schema(str(path))
    assert [field["name"] for field in declared["fields"]] == list(RECORD)
    assert all(field["doc"] for field in declared["fields"])


@given(records)
def test_independent_reader_reads_what_is_written(record: dict[str, Any]) -> None:
    reader = Reader(STATUS.encode(record)[10:])
    assert reader.status() == record
    assert reader.data.read() == b""


@given(records)
def test_binary_round_trip(record: dict[str, Any]) -> None:
    assert STATUS.problem(record) is None
    assert STATUS.decode(STATUS.encode(record)) == record


@given(st.lists(records, max_size=3))
def test_json_lines_round_trip(rows: list[dict[str, Any]]) -> None:
    message = STATUS.encode_lines(rows)
    assert message.count(b"\n") == len(rows)
    assert STATUS.decode_lines(message) == rows


@given(st.lists(records, max_size=3))
def test_container_file_round_trip(rows: list[dict[str, Any]]) -> None:
    file = io.BytesIO()
    STATUS.write_container(file, rows, {"subject": "sequencing"})
    file.seek(0)
    metadata, read = STATUS.read_container(file)
    assert read == rows
    assert metadata["subject"] == "sequencing"


@given(of_every_type)
def test_every_type_is_written_as_fastavro_does(record: dict[str, Any]) -> None:
    assert EVERY_TYPE.encode(record)[10:] == by_fastavro(EVERY_TYPE, record)
    assert EVERY_TYPE.decode(EVERY_TYPE.encode(record)) == record
    assert EVERY_TYPE.decode_lines(EVERY_TYPE.encode_lines([record])) == [record]


def test_json_names_the_type_of_a_union() -> None:
    assert STATUS.encode_lines([RECORD]).decode() == (
        '{"change_date":1782907200250,"id_run":48123,"sequencing_study":"Heron","sample_supplier_id":"Ünit 7",'
        '"labware_barcode":"SQPD-0042","run_status":-3,"irods_root_collection":{"string":"/seq/48123"},'
        '"irods_data_relative_path":{"string":"lane1/a.cram;lane2/b.cram"},'
        '"irods_secondary_data_relative_path":null}\n'
    )


def test_field_that_may_be_null_may_be_absent() -> None:
    short = {name: value for name, value in RECORD.items() if name != "irods_root_collection"}
    assert STATUS.decode(STATUS.encode(short))["irods_root_collection"] is None


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"sample_supplier_id": None}, "sample_supplier_id is missing"),
        ({"sequencing_study": 7}, "sequencing_study is 7: it must be text"),
        ({"labware_barcode": b"x"}, "labware_barcode is b'x': it must be text"),
        ({"irods_root_collection": 7}, "irods_root_collection is 7: it must be text"),
        ({"labware_barcode": "a\ud800"}, "labware_barcode is 'a\\ud800': it holds half a character"),
        ({"id_run": 2**31}, "id_run is 2147483648: it must be from -2147483648 to 2147483647"),
        ({"id_run": -(2**31) - 1}, "id_run is -2147483649: it must be from -2147483648 to 2147483647"),
        ({"id_run": "5"}, "id_run is '5': it must be a whole number"),
        ({"run_status": True}, "run_status is True: it must be a whole number"),
        ({"run_status": 1.0}, "run_status is 1.0: it must be a whole number"),
        ({"change_date": datetime(2026, 7, 1, 12)}, "change_date is 2026-07-01T12:00:00 without a time zone"),
        ({"change_date": date(2026, 7, 1)}, "change_date is datetime.date(2026, 7, 1): it must be an instant"),
        ({"change_date": 1782907200250}, "change_date is 1782907200250: it must be an instant"),
        ({"colour": "red"}, "colour is not a field of uk.ac.sanger.psd.SampleSequenceStatus"),
    ],
)
def test_what_does_not_fit_is_refused_by_field(change: dict[str, Any], sentence: str) -> None:
    record = {**RECORD, **change}
    assert str(STATUS.problem(record)).startswith(sentence)
    for write in (STATUS.encode, STATUS.digest, lambda each: STATUS.encode_lines([RECORD, each])):
        with pytest.raises(BadMessage, match="^[a-z_]+ is "):
            write(record)
    file = io.BytesIO()
    with pytest.raises(BadMessage):
        STATUS.write_container(file, [RECORD, record], {})
    assert file.getvalue() == b""


def test_absent_required_field_is_named() -> None:
    assert STATUS.problem({"id_run": 1}) == "change_date is missing"


def test_unknown_field_in_place_of_another_is_named() -> None:
    renamed = {("irods_root" if name == "irods_root_collection" else name): value for name, value in RECORD.items()}
    assert STATUS.problem(renamed) == "irods_root is not a field of uk.ac.sanger.psd.SampleSequenceStatus"


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"number": 2**63}, "number is 9223372036854775808: it must be from -9223372036854775808 to"),
        ({"flag": 1}, "flag is 1: it must be true or false"),
        ({"share": float("nan")}, "share is nan: it must be a finite number"),
        ({"share": "half"}, "share is 'half': it must be a number"),
    ],
)
def test_other_types_are_refused_by_field(change: dict[str, Any], sentence: str) -> None:
    record = {"flag": True, "number": 5, "share": 0.25, "at": None, **change}
    assert str(EVERY_TYPE.problem(record)).startswith(sentence)


def test_schema_of_other_types_is_refused() -> None:
    inner = {"type": "record", "name": "Y", "fields": [{"name": "one", "type": "int"}]}
    for other in (inner, ["int", "string"], ["null"], {"type": "array", "items": ["int", "string"]}):
        with pytest.raises(ValueError, match="the field 'many' is of a type that is not written"):
            Schema.parse({"type": "record", "name": "X", "fields": [{"name": "many", "type": other}]})


@pytest.mark.parametrize("zone", ["UTC", "America/Los_Angeles", "Europe/London"])
def test_bytes_do_not_depend_on_the_machines_zone(zone: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before = os.environ.get("TZ")
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        assert STATUS.encode(RECORD).hex() == GOLDEN
        assert STATUS.decode(bytes.fromhex(GOLDEN)) == RECORD
        naive = STATUS.problem({**RECORD, "change_date": datetime(2026, 7, 1, 12)})
        assert naive and "without a time zone" in naive
    finally:
        monkeypatch.undo()
        assert os.environ.get("TZ") == before
        time.tzset()


@given(st.integers(0, len(GOLDEN) // 2 - 1))
def test_message_that_is_cut_is_refused(size: int) -> None:
    with pytest.raises(BadMessage):
        STATUS.decode(bytes.fromhex(GOLDEN)[:size])


def test_message_that_goes_on_is_refused() -> None:
    with pytest.raises(BadMessage, match="go on after"):
        STATUS.decode(bytes.fromhex(GOLDEN) + b"\0")


def test_message_of_another_schema_is_refused() -> None:
    other = EVERY_TYPE.encode({"flag": True, "number": 5, "share": None, "at": None})
    with pytest.raises(BadMessage, match="fingerprint 2386c17bc37c3d38"):
        STATUS.decode(other)


@given(st.binary(max_size=60))
def test_any_other_bytes_are_refused(body: bytes) -> None:
    for read in (
        lambda: STATUS.decode(bytes.fromhex(GOLDEN)[:10] + body),
        lambda: STATUS.decode_lines(b"{" + body),
        lambda: STATUS.read_container(io.BytesIO(body)),
    ):
        with pytest.raises(BadMessage):
            read()


def test_container_file_that_is_cut_is_refused() -> None:
    file = io.BytesIO()
    STATUS.write_container(file, [RECORD] * 3, {})
    with pytest.raises(BadMessage, match="not a whole Avro object container file"):
        STATUS.read_container(io.BytesIO(file.getvalue()[:-20]))
