"""Codebook -> configuration -> codebook loses nothing that Label Studio can say, and its own SDK accepts it."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from label_studio_sdk.label_interface import LabelInterface

from labelstudio_config.codebook import Codebook
from labelstudio_config.xml import from_xml, ignored, to_xml
from tests.labelstudio_config.strategies import codebooks, expressible

relaxed = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


@relaxed
@given(expressible())
def test_what_label_studio_can_say_comes_back(codebook: Codebook) -> None:
    xml = to_xml(codebook)
    LabelInterface(xml).validate()
    again = from_xml(xml, key=codebook.key, title=codebook.title)
    assert again == codebook
    assert to_xml(again) == xml
    assert ignored(xml) == ()


@relaxed
@given(codebooks())
def test_everything_comes_back_with_the_previous_state(codebook: Codebook) -> None:
    xml = to_xml(codebook)
    LabelInterface(xml).validate()
    again = from_xml(xml, key=codebook.key, title=codebook.title, previous=codebook)
    assert again == codebook
    assert (again.content_hash, again.scoring_hash) == (codebook.content_hash, codebook.scoring_hash)


@relaxed
@given(codebooks())
def test_a_configuration_read_and_written_reads_the_same(codebook: Codebook) -> None:
    """Also where a codebook cannot be said in full, what was read once is read again."""
    once = from_xml(to_xml(codebook), key="k")
    assert from_xml(to_xml(once), key="k") == once
