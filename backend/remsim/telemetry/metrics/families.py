"""The table of all metrics. docs/metrics.md has the same rows; a test compares them.

Names follow Prometheus' conventions: base units, ``_total`` for counters. Where a name of the roadmap breaks them it
is an alias. Of a set of states only the one that is has a sample, with the value 1.
"""

from __future__ import annotations

from remsim.telemetry.metrics.family import Alias, Family

MODEM = ("modem",)
CONNECTION = ("connection", "modem")
INTERFACE = ("modem", "interface")
SERVER = ("server",)
BANK = ("server", "bank_id")
CLIENT = ("client", "modem")
LINK = ("client", "modem", "bank_id")
COUNTED = ("client", "source")
ACTION = ("action",)

ROUTER_FAMILIES = (
    Family("remsim_build_info", "info", "Version of the service", ("version",)),
    Family("remsim_uptime_seconds", "gauge", "Time since the router started", roadmap="remsim_uptime_seconds"),
    Family("remsim_router_clock_set", "gauge", "1 if the wall clock has been set since boot"),
    Family("remsim_router_load_ratio", "gauge", "Load of the last minute by number of cores"),
    Family("remsim_router_memory_bytes", "gauge", "Memory of the router"),
    Family("remsim_router_memory_available_bytes", "gauge", "Memory that programs may still have"),
    Family("remsim_storage_size_bytes", "gauge", "Size of the file system of a directory", ("storage",)),
    Family("remsim_storage_free_bytes", "gauge", "Room left on the file system of a directory", ("storage",)),
    Family("remsim_store_working", "gauge", "1 if a store can be written", ("store",)),
    Family("remsim_problems", "gauge", "Problems the pages show"),
    Family("remsim_events_total", "counter", "Events in the journal since the service started", ("kind",)),
    Family("remsim_series_write_errors_total", "counter", "Failed writes of series"),
    Family("remsim_alerts_firing", "gauge", "Alerts that fire", ("severity",)),
    Family("remsim_alerts_pending", "gauge", "Alerts that wait for their duration"),
    Family("remsim_stream_clients", "gauge", "Open live streams"),
    Family("remsim_scrape_duration_seconds", "summary", "Time taken to answer scrapes, this one not counted"),
    Family("remsim_scrape_errors_total", "counter", "Sources that failed while their samples were taken", ("source",)),
    Family("remsim_output_working", "gauge", "1 if the receiver of an output takes values", ("output",)),
    Family("remsim_output_sent_samples_total", "counter", "Samples an output has sent", ("output",)),
    Family("remsim_output_dropped_rows_total", "counter", "Moments an output has given up", ("output",)),
    Family("remsim_output_waiting_bytes", "gauge", "Size of what an output has not sent yet", ("output",)),
)

MODEM_FAMILIES = (
    Family(
        "remsim_modem_info",
        "info",
        "A modem",
        ("modem", "name", "vendor", "model", "firmware", "usb_path", "interface"),
    ),
    Family("remsim_modem_state", "gauge", "1 for the state a modem is in", ("modem", "state")),
    Family("remsim_modem_state_timestamp_seconds", "gauge", "When a modem came into its state", MODEM),
    Family("remsim_modem_reading_timestamp_seconds", "gauge", "When a modem was read last", MODEM),
    Family("remsim_modem_poll_period_seconds", "gauge", "How often a modem is asked", MODEM),
    Family("remsim_modem_at_commands_total", "counter", "AT commands sent to a modem", MODEM),
    Family("remsim_modem_registration", "gauge", "1 for the registration of a modem", ("modem", "registration")),
    Family(
        "remsim_modem_network_info",
        "info",
        "The network a modem is in",
        ("modem", "operator", "plmn", "rat", "mode"),
    ),
    Family(
        "remsim_modem_cell_info",
        "info",
        "The cell a modem is in",
        ("modem", "band", "arfcn", "pci", "tac", "cell_id", "nr_band", "nr_arfcn", "nr_pci"),
    ),
    Family("remsim_modem_temperature_celsius", "gauge", "Temperature of a modem", MODEM),
    Family("remsim_modem_quality_ratio", "gauge", "Connection quality made of signal, delay and loss", MODEM),
    Family("remsim_signal_rssi_dbm", "gauge", "RSSI", MODEM, "remsim_signal_rssi_dbm"),
    Family("remsim_signal_rsrp_dbm", "gauge", "RSRP of the serving cell (the LTE anchor in EN-DC)", MODEM),
    Family("remsim_signal_rsrq_db", "gauge", "RSRQ of the serving cell", MODEM, "remsim_signal_rsrq_db"),
    Family("remsim_signal_sinr_db", "gauge", "SINR of the serving cell", MODEM, "remsim_signal_sinr_db"),
    Family("remsim_signal_nr_rsrp_dbm", "gauge", "RSRP of the 5G leg in EN-DC", MODEM),
    Family("remsim_signal_nr_rsrq_db", "gauge", "RSRQ of the 5G leg in EN-DC", MODEM),
    Family("remsim_signal_nr_sinr_db", "gauge", "SINR of the 5G leg in EN-DC", MODEM),
    Family("remsim_signal_rscp_dbm", "gauge", "RSCP of the serving UMTS cell", MODEM),
    Family("remsim_signal_ecio_db", "gauge", "Ec/Io of the serving UMTS cell", MODEM),
)

CONNECTION_FAMILIES = (
    Family("remsim_connection_status", "gauge", "1 if a modem is online", MODEM, "remsim_connection_status"),
    Family(
        "remsim_data_rx_bytes_total",
        "counter",
        "Bytes an interface has received, by the kernel's counter",
        INTERFACE,
        "remsim_data_rx_bytes_total",
    ),
    Family(
        "remsim_data_tx_bytes_total",
        "counter",
        "Bytes an interface has sent, by the kernel's counter",
        INTERFACE,
        "remsim_data_tx_bytes_total",
    ),
    Family(
        "remsim_connection_latency_seconds",
        "gauge",
        "Round trip time of probes",
        CONNECTION,
        "remsim_connection_latency_ms",
        Alias("remsim_connection_latency_ms", 1000),
    ),
    Family("remsim_connection_jitter_seconds", "gauge", "Jitter of probes", CONNECTION),
    Family(
        "remsim_connection_packet_loss_ratio",
        "gauge",
        "Share of probes that were lost",
        CONNECTION,
        "remsim_connection_packet_loss_percent",
        Alias("remsim_connection_packet_loss_percent", 100),
    ),
    Family(
        "remsim_connection_throughput_bytes_per_second",
        "gauge",
        "Data rate between the last two readings",
        ("connection", "modem", "direction"),
        "remsim_connection_throughput_mbps",
        Alias("remsim_connection_throughput_mbps", 8e-6, without=("direction",)),
    ),
    Family(
        "remsim_connection_active_sessions",
        "gauge",
        "Flows that use a connection",
        ("connection",),
        "remsim_connection_active_sessions",
    ),
    Family(
        "remsim_failovers_total",
        "counter",
        "Changes to another connection because one failed",
        roadmap="remsim_failover_count",
        alias=Alias("remsim_failover_count"),
    ),
)

LINK_FAMILIES = (
    Family("remsim_link_info", "info", "A link", ("link", "connection", "modem")),
    Family("remsim_link_up", "gauge", "1 if a link takes new flows", ("link",)),
    Family("remsim_link_state", "gauge", "1 for the state a link is in", ("link", "state")),
    Family("remsim_link_failures_total", "counter", "Times a link was found dead", ("link",)),
    Family(
        "remsim_link_capacity_bytes_per_second",
        "gauge",
        "What a link can carry, configured or learned",
        ("link", "direction"),
    ),
    Family("remsim_link_share_ratio", "gauge", "Share of new flows a link is given by default", ("link", "class")),
    Family("remsim_policy_hits_total", "counter", "Flows a policy took", ("policy",)),
    Family("remsim_policy_open", "gauge", "1 if a policy takes flows now", ("policy",)),
)

SIM_FAMILIES = (
    Family(
        "remsim_sim_slot_active",
        "gauge",
        "1 if a modem is served by a SIM of this mode (local, remote) in this slot",
        ("modem", "slot", "mode"),
        "remsim_sim_slot_active",
    ),
    Family("remsim_sim_state", "gauge", "1 for the state of a modem's SIM", ("modem", "state")),
    Family("remsim_sim_info", "info", "The SIM in a modem, by the keyed hash of its number", ("modem", "sim", "name")),
    Family("remsim_sim_cycle_used_bytes", "gauge", "Data used in the billing cycle, as the plan counts", ("sim",)),
    Family("remsim_sim_cycle_cap_bytes", "gauge", "Data cap of the billing cycle", ("sim",)),
    Family("remsim_sim_cycle_projected_bytes", "gauge", "Data used at the end of the billing cycle", ("sim",)),
    Family("remsim_sim_cycle_cost", "gauge", "Cost of the billing cycle so far", ("sim", "currency")),
    Family("remsim_sim_cycle_end_timestamp_seconds", "gauge", "When the billing cycle ends", ("sim",)),
    Family(
        "remsim_sim_authentication_success_total",
        "counter",
        "Authentications that succeeded",
        COUNTED,
        "remsim_sim_authentication_success_total",
    ),
    Family(
        "remsim_sim_authentication_failure_total",
        "counter",
        "Authentications that failed",
        COUNTED,
        "remsim_sim_authentication_failure_total",
    ),
    Family(
        "remsim_sim_authentication_status_word_total",
        "counter",
        "Authentications that failed, by the card's status word",
        (*COUNTED, "status_word"),
    ),
    Family(
        "remsim_sim_authentication_resync_total",
        "counter",
        "Authentications answered by a synchronisation failure, which the network mends",
        COUNTED,
    ),
    Family(
        "remsim_sim_authentication_unknown_total", "counter", "Authentications whose result was not seen", COUNTED
    ),
    Family("remsim_tpdu_rx_total", "counter", "TPDUs from the card to the modem", COUNTED, "remsim_tpdu_rx_total"),
    Family("remsim_tpdu_tx_total", "counter", "TPDUs from the modem to the card", COUNTED, "remsim_tpdu_tx_total"),
    Family("remsim_apdu_duration_seconds", "histogram", "Time a card took to answer, through the relay", COUNTED),
)

REMOTE_FAMILIES = (
    Family("remsim_server_up", "gauge", "1 if the REST interface of a remsim-server answers", SERVER),
    Family("remsim_server_restart_timestamp_seconds", "gauge", "When a remsim-server was seen to restart", SERVER),
    Family("remsim_bank_connected", "gauge", "1 if a bank is connected to its remsim-server", BANK),
    Family("remsim_bank_slots", "gauge", "Card slots of a bank", BANK),
    Family("remsim_slot_maps", "gauge", "Slot maps at a remsim-server by state", ("server", "state")),
    Family("remsim_slot_maps_desired", "gauge", "Slot maps that are wanted", SERVER),
    Family("remsim_slot_maps_missing", "gauge", "Slot maps that are wanted and not active", SERVER),
    Family("remsim_slot_maps_conflicting", "gauge", "Slot maps that contradict another", SERVER),
    Family("remsim_slot_maps_held", "gauge", "Slot maps held back so that no modem is reset", SERVER),
    Family(
        "remsim_client_info",
        "info",
        "A remote SIM client of this router",
        ("client", "modem", "client_slot", "bank_slot", "program"),
    ),
    Family("remsim_client_state", "gauge", "1 for the state of a remote SIM client", (*CLIENT, "state")),
    Family("remsim_client_state_timestamp_seconds", "gauge", "When a client came into its state", CLIENT),
    Family("remsim_client_running", "gauge", "1 if a client's process runs", CLIENT),
    Family("remsim_client_restarts_total", "counter", "How often a client's process was started again", CLIENT),
    Family("remsim_client_server_connected", "gauge", "1 if a client's link to its server is up", CLIENT),
    Family("remsim_bankd_connected", "gauge", "1 if a client's link to its bankd is up", LINK),
    Family(
        "remsim_bankd_connection_duration_seconds",
        "gauge",
        "How long a client's link to its bankd has been up",
        LINK,
        "remsim_bankd_connection_duration_seconds",
    ),
    Family(
        "remsim_bankd_reconnects_total",
        "counter",
        "How often a client connected to a bankd again",
        LINK,
        "remsim_bankd_reconnect_count",
        Alias("remsim_bankd_reconnect_count"),
    ),
    Family("remsim_spool_waiting", "gauge", "Events of clients that wait in the spool"),
    Family("remsim_spool_dropped_total", "counter", "Events of clients that the spool had no room for"),
    Family("remsim_relay_running", "gauge", "1 if a client's counting relay runs", ("client",)),
    Family("remsim_ionmesh_registered", "gauge", "1 if IonMesh has registered this router"),
)

ESIM_FAMILIES = (
    Family("remsim_esim_profiles", "gauge", "Profiles on an eUICC by state", ("modem", "state")),
    Family("remsim_esim_free_bytes", "gauge", "Memory of an eUICC that is free for profiles", ("modem",)),
    Family(
        "remsim_esim_notifications_waiting",
        "gauge",
        "What operators have not been told of profiles installed, switched or deleted",
        ("modem",),
    ),
    Family("remsim_esim_read_timestamp_seconds", "gauge", "When an eUICC was read last", ("modem",)),
)

HEALING_FAMILIES = (
    Family(
        "remsim_healing_attempts_total", "counter", "Healing actions begun", ACTION, "remsim_healing_attempts_total",
        is_later=True,
    ),
    Family(
        "remsim_healing_success_total", "counter", "Healing actions that helped", ACTION,
        "remsim_healing_success_total", is_later=True,
    ),
    Family(
        "remsim_healing_failure_total", "counter", "Healing actions that did not help", ACTION,
        "remsim_healing_failure_total", is_later=True,
    ),
    Family(
        "remsim_healing_duration_seconds", "histogram", "How long healing actions took", ACTION,
        "remsim_healing_duration_seconds", is_later=True,
    ),
)  # fmt: skip

PROCESS_FAMILIES = (
    Family("process_cpu_seconds_total", "counter", "CPU time of the service"),
    Family("process_resident_memory_bytes", "gauge", "Resident memory of the service"),
    Family("process_virtual_memory_bytes", "gauge", "Virtual memory of the service"),
    Family("process_start_time_seconds", "gauge", "When the service started"),
    Family("process_open_fds", "gauge", "Open files of the service"),
    Family("process_max_fds", "gauge", "Files the service may open"),
    Family("process_threads", "gauge", "Threads of the service"),
)

FAMILIES: dict[str, Family] = {
    one.name: one
    for one in (
        *ROUTER_FAMILIES,
        *MODEM_FAMILIES,
        *CONNECTION_FAMILIES,
        *LINK_FAMILIES,
        *SIM_FAMILIES,
        *REMOTE_FAMILIES,
        *ESIM_FAMILIES,
        *HEALING_FAMILIES,
        *PROCESS_FAMILIES,
    )
}
