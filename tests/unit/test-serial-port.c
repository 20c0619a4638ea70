/* Ports: found, opened as asked, and each way in which that fails told apart. */
#include "media/devices/serial_port.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

static const LineSettings plain = { 9600, LINE_PARITY_NONE };

static int
make_pty (char **ret_path)
{
  int master = posix_openpt (O_RDWR | O_NOCTTY);
  g_assert_cmpint (master, >=, 0);
  g_assert_cmpint (grantpt (master), ==, 0);
  g_assert_cmpint (unlockpt (master), ==, 0);
  *ret_path = g_strdup (ptsname (master));
  return master;
}

static void
test_names (void)
{
  static const struct {
    const char *port;
    gboolean valid;
  } PORTS[] = {
    { "/dev/ttyUSB0", TRUE },
    { "/dev/serial/by-id/usb-Silicon_Labs_CP2102-if00-port0", TRUE },
    { "usb:10c4:ea60", TRUE },
    { "usb:10C4:EA60", TRUE },
    { "usb:10c4", FALSE },
    { "usb:10c4:ea6g", FALSE },
    { "usb:10c4:ea600", FALSE },
    { "ttyUSB0", FALSE },
    { "", FALSE },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (PORTS); i++)
    g_assert_cmpint (serial_port_is_valid (PORTS[i].port), ==, PORTS[i].valid);
  g_assert_null (serial_port_find ("/nonexistent"));
  g_assert_null (serial_port_find ("usb:0000:0000"));
  g_assert_true (serial_port_has_speed (115200));
  g_assert_false (serial_port_has_speed (115201));
}

/* As the kernel has it afterwards. A pty keeps all of it but parity. */
static void
test_settings (void)
{
  g_autofree char *path = NULL;
  int master = make_pty (&path);
  SerialProblem problem = SERIAL_GOOD;
  int fd = serial_port_open (path, &(const LineSettings){ 115200, LINE_PARITY_ODD }, &problem);
  struct termios line;
  g_assert_cmpint (fd, >=, 0);
  g_assert_cmpint (tcgetattr (fd, &line), ==, 0);
  g_assert_cmpuint (cfgetispeed (&line), ==, B115200);
  g_assert_cmpuint (cfgetospeed (&line), ==, B115200);
  g_assert_cmpuint (line.c_cflag & CSIZE, ==, CS8);
  g_assert_cmpuint (line.c_cflag & (CSTOPB | CRTSCTS), ==, 0);
  g_assert_cmpuint (line.c_lflag & (ICANON | ECHO | ISIG), ==, 0);
  g_assert_cmpuint (line.c_iflag & (IXON | IXOFF | ICRNL), ==, 0);
  g_assert_cmpint (fcntl (fd, F_GETFL) & O_NONBLOCK, !=, 0);
  close (fd);
  close (master);
}

static void
expect_problem (const char *path, SerialProblem expected)
{
  SerialProblem problem = SERIAL_GOOD;
  g_assert_cmpint (serial_port_open (path, &plain, &problem), ==, -1);
  g_assert_cmpint (problem, ==, expected);
}

static void
test_problems (void)
{
  g_autofree char *path = NULL;
  int master = make_pty (&path);
  SerialProblem problem;
  expect_problem ("/nonexistent", SERIAL_ABSENT);
  expect_problem ("/dev/null", SERIAL_NO_LINE);
  int fd = serial_port_open (path, &plain, &problem);
  g_assert_cmpint (fd, >=, 0);
  expect_problem (path, SERIAL_BUSY);
  close (fd);
  fd = serial_port_open (path, &plain, &problem);
  g_assert_cmpint (fd, >=, 0);
  close (fd);
  close (master);
}

/* root may open everything: somebody else tries, in a child. */
static void
test_forbidden (void)
{
  g_autofree char *folder = g_dir_make_tmp ("nhipcau-port-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (folder, "port", NULL);
  int status = -1;
  g_assert_true (g_file_set_contents (path, "", 0, NULL));
  g_assert_cmpint (g_chmod (path, 0), ==, 0);
  g_assert_cmpint (g_chmod (folder, 0755), ==, 0);
  pid_t child = fork ();
  if (child == 0) {
    SerialProblem problem = SERIAL_GOOD;
    if (geteuid () == 0 && setuid (65534) != 0)
      _exit (2);
    int fd = serial_port_open (path, &plain, &problem);
    _exit (fd < 0 && problem == SERIAL_FORBIDDEN ? 0 : 1);
  }
  g_assert_cmpint (waitpid (child, &status, 0), ==, child);
  g_assert_cmpint (status, ==, 0);
  g_unlink (path);
  g_rmdir (folder);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/serial-port/names", test_names);
  g_test_add_func ("/serial-port/settings", test_settings);
  g_test_add_func ("/serial-port/problems", test_problems);
  g_test_add_func ("/serial-port/forbidden", test_forbidden);
  return g_test_run ();
}
