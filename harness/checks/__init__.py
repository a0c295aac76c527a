"""The words of `expect`: folds over the stream of events, and questions to the server's records."""
