"""What makes a PDF one for archives, PDF/A-2b (ISO 19005-2, level B), beside its content: the metadata that say so.

The same facts stand in the document's information dictionary and in its XMP packet, where PDF/A looks for them.
"""

from datetime import UTC, datetime
from xml.sax.saxutils import escape

PRODUCER = "Docscan"


def xmp(title: str, created: datetime) -> str:
    """Return the XMP metadata of a document, without the packet's wrapper (ISO 16684-1; ISO 19005-2, 6.6)."""
    moment = f"{created.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    return f"""<x:xmpmeta xmlns:x="adobe:ns:meta/">
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about=""
 xmlns:dc="http://purl.org/dc/elements/1.1/"
 xmlns:pdf="http://ns.adobe.com/pdf/1.3/"
 xmlns:pdfaid="http://www.aiim.org/pdfa/ns/id/"
 xmlns:xmp="http://ns.adobe.com/xap/1.0/">
<dc:title><rdf:Alt><rdf:li xml:lang="x-default">{escape(title)}</rdf:li></rdf:Alt></dc:title>
<pdf:Producer>{PRODUCER}</pdf:Producer>
<pdfaid:part>2</pdfaid:part>
<pdfaid:conformance>B</pdfaid:conformance>
<xmp:CreateDate>{moment}</xmp:CreateDate>
</rdf:Description>
</rdf:RDF>
</x:xmpmeta>"""
