"""Measured values on their way to other systems: Prometheus remote-write, InfluxDB, Home Assistant by MQTT."""
