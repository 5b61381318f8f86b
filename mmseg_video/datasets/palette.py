def bit_colours(num: int) -> list[list[int]]:
    """RGB colours that differ, black first.

    The bits of the number go to red, green and blue in turn, the lowest to
    each colour's highest bit.
    """
    return [
        [
            sum((i >> (3 * bit + part) & 1) << (7 - bit) for bit in range(3))
            for part in range(3)
        ]
        for i in range(num)
    ]
