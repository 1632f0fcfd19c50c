"""SGP.32, experimental: what a card for it tells of its eIMs, and what an IPA in the device does for them.

Not here, and not meant to be: CoAP and DTLS, an eIM of our own, the JSON binding, downloads through the eIM, discovery
for an eIM, fallback and emergency profiles. Source: the ASN.1 of SGP.32 1.0 to 1.2 (ESipa, ESep).
"""
