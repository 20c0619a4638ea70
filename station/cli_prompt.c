/* What is asked at the terminal. */
#include "station/cli.h"

#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

char *
cli_prompt (const char *question, gboolean secret)
{
  struct termios before, quiet;
  char line[1100];
  gboolean terminal = isatty (STDIN_FILENO) && tcgetattr (STDIN_FILENO, &before) == 0;
  if (!terminal)
    return NULL;
  fprintf (stderr, "%s: ", question);
  quiet = before;
  if (secret) {
    quiet.c_lflag &= ~(tcflag_t)ECHO;
    tcsetattr (STDIN_FILENO, TCSAFLUSH, &quiet);
  }
  char *got = fgets (line, sizeof line, stdin);
  if (secret) {
    tcsetattr (STDIN_FILENO, TCSAFLUSH, &before);
    fputc ('\n', stderr);
  }
  if (got == NULL)
    return NULL;
  line[strcspn (line, "\n")] = '\0';
  char *answer = g_strdup (line);
  explicit_bzero (line, sizeof line);
  return answer;
}

char *
cli_obtain_secret (const char *file, const char *question, const char *option, GError **error)
{
  if (file != NULL)
    return cli_read_secret (file, error);
  char *first = cli_prompt (question, TRUE);
  char *second = first != NULL ? cli_prompt (SAY ("Nhập lại", "Again"), TRUE) : NULL;
  if (first != NULL && second != NULL && g_str_equal (first, second)) {
    cli_secret_free (second);
    return first;
  }
  g_set_error (error, CONFIG_ERROR, CONFIG_ERROR_VALUE,
               first == NULL ? SAY ("thiếu %s TỆP", "%s FILE is missing")
                             : SAY ("hai lần nhập khác nhau (hoặc dùng %s TỆP)",
                                    "the two entries differ (or use %s FILE)"),
               option);
  cli_secret_free (first);
  cli_secret_free (second);
  return NULL;
}
