"""The words that mailbot knows, Indonesian and English, one module for each matter. Words only: no logic lives here.

People's own texts (acknowledgements, reminders, …) are in templates/; here are the words that code has to recognise
in mail, or has to put into a field.
"""
