"""The rules of the OAuth RFCs: values in, values out, no waiting."""
