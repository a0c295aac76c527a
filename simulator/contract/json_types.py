"""JSON as Python has it."""

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]
