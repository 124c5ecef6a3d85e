"""The places of the app and the questions it asks."""
