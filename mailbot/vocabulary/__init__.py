"""Words that mailbot recognises in mail or writes into it, one module per subject. Data only, no logic, no imports.

Texts for people (acknowledgements, reminders, …) are in templates/; here are the words that code compares with, or
puts into a field.
"""
