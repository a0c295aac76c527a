"""Real firmware on boards that are not there: QEMU, always without KVM, since a nested one can hang."""
