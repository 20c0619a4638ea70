#include "station/keep_class.h"

RetentionClass
keep_class_propose (const Consult *consult, const char **ret_code)
{
  RetentionClass class = RETENTION_ORDINARY;
  const char *reason = NULL;
  gsize i;
  json_t *problem;
  json_array_foreach (consult->problems, i, problem)
  {
    const char *code = json_string_value (json_object_get (problem, "icd10"));
    RetentionClass longer = retention_longer (class, retention_class_of_code (code));
    if (longer != class)
      reason = code;
    class = longer;
  }
  if (ret_code != NULL)
    *ret_code = reason;
  return class;
}

json_t *
keep_class_view (const Consult *consult)
{
  const char *code;
  RetentionClass class = keep_class_propose (consult, &code);
  return json_pack ("{s:s, s:i, s:s?}", "class", retention_class_name (class), "years",
                    (int)retention_years (class), "code", code);
}
