"""The same work in actbook and in other people's engines, each in processes of its own."""
