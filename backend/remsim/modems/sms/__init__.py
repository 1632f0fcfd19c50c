"""Short messages: alphabets (23.038) and PDUs (23.040) as pure functions, and a modem's store as an inbox.

Written here because no package both reads and writes them rightly. Tried in their newest versions: smspdudecoder
2.2.0 fails to import beside bitstring 5 and only reads; python-gsmmodem-new 0.13.0 cannot write emoji, has a backtick
in the place of §, ends in StopIteration at a cut PDU and refuses a message whose time is no time; python-messaging
0.5.13 writes broken PDUs for emoji, refuses numbers of two digits and reads halves of letters; pdubuild 0.0.4 only
writes.
"""
