"""From wishes to a project: the form's logic, its forecast, a try-out. No Textual."""
