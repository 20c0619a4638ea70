/* What a process that touches foreign DICOM bytes may still do: compute, and use the descriptors
 * that it was given. docs/threats.md says what that keeps out, and what not. */
#pragma once

/* Before anything foreign is read: dies with the station, no new rights, no core dump, nobody when
 * started as root; address space, processor seconds and file size bounded. FALSE with errno. */
bool confine_limits (unsigned long memory_bytes, unsigned cpu_seconds, unsigned long file_bytes);
/* After libraries, dictionary and character sets are loaded: from here on no file can be opened, no
 * socket made, no program started, no signal sent (seccomp). FALSE with errno. */
bool confine_calls ();
/* The same, but for one connection to be made; then confine_calls() takes that away too. */
bool confine_calls_but_connecting ();
