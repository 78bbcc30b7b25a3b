"""What kind of mail this is: a person's, automatic, a bounce, spam. The way in is `rules.classify`."""
