"""Help pages: the student file, problem codes and the upload commands."""
