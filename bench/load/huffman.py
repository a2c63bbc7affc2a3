"""The Huffman code of HTTP/2 header strings (RFC 7541, appendix B), read only: we never write it."""

# Bits of each symbol's code: 0 to 255, then the end-of-string mark. The code is canonical (shorter codes first, then
# by symbol), so the lengths are the whole of it. A letter is one length: "a" is 5 bits, "b" 6 and so on to "z" 30.
_LENGTHS = (
    "isxxxxxxxtzxxzxxxxxxxxzxxxxxxxxx"
    "bffhibdgffdgdbbbaaabbbbbbbcdkbhf"
    "ibccccccccccccccccccccccdcdioijb"
    "kabababbbaccbbbabcbaabccccckgjix"
    "prpprrrsrssssststtrstssssqrsrsst"
    "rqprrssqsrrtqrssqqrqsrssprrrsrrs"
    "vvporsruvvvwwvtuoqvwwvwtqqvvxwww"
    "ptpqrqqsrruuttvsvwvvwwwwwxwwwwwv"
    "z"
)
_EOS = 256


def _codes() -> dict[tuple[int, int], int]:
    """(bits, code) to symbol."""
    lengths = [ord(letter) - ord("a") + 5 for letter in _LENGTHS]
    assert len(lengths) == _EOS + 1
    codes = {}
    code = bits = 0
    for symbol in sorted(range(len(lengths)), key=lambda each: (lengths[each], each)):
        code <<= lengths[symbol] - bits
        bits = lengths[symbol]
        codes[bits, code] = symbol
        code += 1
    return codes


_CODES = _codes()


def decode(octets: bytes) -> bytes:
    """The text behind a Huffman-coded string.

    Raises:
        ValueError: the end-of-string mark stands in it, or what fills the last octet is not part of that mark.
    """
    text = bytearray()
    code = bits = 0
    for octet in octets:
        for shift in range(7, -1, -1):
            code = code << 1 | (octet >> shift & 1)
            bits += 1
            symbol = _CODES.get((bits, code))
            if symbol is None:
                continue
            if symbol == _EOS:
                raise ValueError("end-of-string mark in a Huffman string")
            text.append(symbol)
            code = bits = 0
    if bits > 7 or code != (1 << bits) - 1:
        raise ValueError("a Huffman string must be filled up with ones, fewer than eight")
    return bytes(text)
