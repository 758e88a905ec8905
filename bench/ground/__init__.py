"""The ground of a measurement: private servers, the service, accounts, codes and tokens, and a program's begin and end."""
