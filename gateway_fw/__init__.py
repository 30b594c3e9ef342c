"""Gateway firmware as pure cores (Semtech UDP at both ends, packet forwarder) and the shells that give them sockets."""
