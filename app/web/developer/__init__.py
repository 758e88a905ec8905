"""The pages of those who own applications: sign-up, registration, and each application's own pages.

They may import `pages/`, whose frame and forms they use. Begin with `frame.py`; `register.py` is where somebody new comes in.
"""
