"""What runs inside a plugin process between the wire and the author's class."""
