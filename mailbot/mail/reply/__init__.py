"""The new words of a mail, without quotations and signatures; forwarded mail. The way in is `reply_text.new_words`."""
