"""The run folder: what happened, kept so that it can be read, judged and run again."""

from bench.store.manifest import Manifest, make_manifest, read_manifest
from bench.store.pcap import write_pcap
from bench.store.run_folder import RunFolder, read_trace, stage_folder, write_stage
from bench.store.tables import Columns, columns, columns_sha256, trace_sha256

__all__ = [
    "Columns",
    "Manifest",
    "RunFolder",
    "columns",
    "columns_sha256",
    "make_manifest",
    "read_manifest",
    "read_trace",
    "stage_folder",
    "trace_sha256",
    "write_pcap",
    "write_stage",
]
