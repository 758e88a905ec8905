"""What a measurement stands on: private servers, the service, accounts, codes and tokens, and how a program begins and ends."""
