"""The new words of a mail, apart from quotations, signatures and forwards. The way in is `reply_text.new_words`."""
