'use strict';
'require baseclass';

/* The options of remsim_console that Settings edits, with the service's own bounds: a test holds the two together.
   `longest` and `most` are characters and entries, `told` what is wrong with a value that does not fit. */
const PERIOD = /^(?:off|0|(0?[1-9]|[1-5][0-9])(\.[0-9]{1,3})?|60(\.0{1,3})?)$/;
const LIMITS = /^(?:-?[0-9]{1,3}(\.[0-9])?( +-?[0-9]{1,3}(\.[0-9])?){2})$/;
const GPIO = /^(?:!?(gpiochip[0-9]{1,3}:)?[0-9]{1,4})$/;
const FOLDER = /^(?:\/.*)$/;
const TARGET = /^(icmp|tcp|dns):(?:([0-9.]+)|\[([0-9A-Fa-f:.]+)\]|([0-9A-Fa-f]*:[0-9A-Fa-f:.]+))(?::([0-9]{1,5}))?$/;
const IPV4 = /^(?:(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])(?:\.(?!$)|$)){4}$/;

function rises(text) {
	const [fair, good, excellent] = text.trim().split(/ +/).map(Number);

	return fair < good && good < excellent;
}

function isPort(text) {
	return Number(text.split(':').at(-1)) <= 65535;
}

function isIp(text) {
	return IPV4.test(text) || (text.includes(':') && URL.canParse(`http://[${text}]`));
}

function isTarget(text) {
	const [, method, ipv4, bracketed, ipv6, port] = TARGET.exec(text) ?? [];
	const hasPort = port !== undefined;

	if (!method || !isIp(bracketed ?? ipv4 ?? ipv6))
		return false;

	if ((method === 'icmp' && hasPort) || (method === 'tcp' && !hasPort))
		return false;

	return !hasPort || (Number(port) >= 1 && Number(port) <= 65535);
}

const SECTIONS = {
	service: [
		{
			name: 'period_s', title: _('Ask each modem every'), help: _('1 to 60 seconds, or off'), unit: 's',
			pattern: PERIOD, told: _('is 1 to 60 seconds, or off'), longest: 6, placeholder: '1'
		},
		{
			name: 'probe_period_s', title: _('Measure latency every'),
			help: _('1 to 60 seconds, or off; costs a little traffic'), unit: 's', pattern: PERIOD,
			told: _('is 1 to 60 seconds, or off'), longest: 6, placeholder: '10'
		},
		{
			name: 'probe_targets', kind: 'DynamicList', check: isTarget,
			told: _('is not icmp:IP, tcp:IP:PORT or dns:IP[:PORT]'), title: _('Latency is measured to'),
			help: _('One a line: icmp:IP, tcp:IP:PORT or dns:IP[:PORT]'), most: 8,
			placeholder: ['icmp:1.1.1.1', 'icmp:8.8.8.8']
		},
		{
			name: 'log_level', kind: 'ListValue', title: _('What the log has'),
			values: { debug: _('everything'), info: _('what happens'), warning: _('what you should look at'), error: _('errors only') },
			placeholder: 'info'
		},
		{
			name: 'data_dir', title: _('Folder of the history'),
			help: _('In RAM on a router: it is written often'), pattern: FOLDER,
			told: _('is not an absolute path'), longest: 256, placeholder: '/var/run/remsim', advanced: true
		},
		{
			name: 'state_dir', title: _('Folder of what must survive a power cut'),
			help: _('Token, events, usage and a copy of the history. In another folder all begins anew'),
			pattern: FOLDER, told: _('is not an absolute path'), longest: 256, placeholder: '/etc/remsim',
			advanced: true
		}
	],
	history: [
		{
			name: 'backup_minutes', title: _('Copy the history to flash every'), help: _('Also when remsim stops'),
			unit: 'min', datatype: 'and(uinteger,range(1,1440))', placeholder: '15'
		},
		{
			name: 'events_days', title: _('Keep events for'), unit: 'd', datatype: 'and(uinteger,range(1,3650))',
			placeholder: '400'
		},
		{
			name: 'events_mb', title: _('Their file may grow to'), unit: 'MB',
			datatype: 'and(uinteger,range(1,1024))', placeholder: '16'
		}
	],
	web: [
		{
			name: 'listen', title: _('Listen on'),
			help: _('HOST:PORT. 127.0.0.1:8090 answers this router only; pages in LuCI come through LuCI anyway'),
			pattern: /^(?:(\[[0-9A-Fa-f:]+\]|[A-Za-z0-9.-]+):[0-9]{1,5})$/, told: _('is not HOST:PORT'),
			check: isPort, longest: 80, placeholder: '127.0.0.1:8090'
		},
		{
			name: 'max_streams', below: 'threads', told: _('must be below the threads'),
			title: _('Live streams at once'), help: _('Below the threads; further pages poll'),
			datatype: 'and(uinteger,range(0,2000))', placeholder: '24', advanced: true
		},
		{
			name: 'threads', title: _('Threads'), help: _('For requests and streams'),
			datatype: 'and(uinteger,range(4,2048))', placeholder: '32', advanced: true
		},
		{
			name: 'proxied_at', title: _('Path behind nginx'),
			help: _('Where nginx has these pages; LuCI\'s take the stream from there. Empty: no nginx'),
			pattern: /^(?:\/[A-Za-z0-9_-]+)$/, told: _('is not a path like /remsim'), longest: 64, placeholder: '', advanced: true
		}
	],
	quality: [
		{
			name: 'rsrp_dbm', title: 'RSRP', unit: 'dBm', pattern: LIMITS, told: _('is not three rising numbers'),
			check: rises, longest: 40, placeholder: '-100 -90 -80'
		},
		{
			name: 'rsrq_db', title: 'RSRQ', unit: 'dB', pattern: LIMITS, told: _('is not three rising numbers'),
			check: rises, longest: 40, placeholder: '-20 -15 -10'
		},
		{
			name: 'sinr_db', title: 'SINR', unit: 'dB', pattern: LIMITS, told: _('is not three rising numbers'),
			check: rises, longest: 40, placeholder: '0 13 20'
		},
		{
			name: 'rssi_dbm', title: 'RSSI', unit: 'dBm', pattern: LIMITS, told: _('is not three rising numbers'),
			check: rises, longest: 40, placeholder: '-85 -75 -65'
		}
	],
	metrics: [
		{
			name: 'enabled', kind: 'Flag', title: _('Listener of their own'),
			help: _('They are at /metrics of the web server in any case. This address answers nothing else'), placeholder: '0'
		},
		{
			name: 'listen', title: _('Which listens on'), help: _('HOST:PORT. A Prometheus on this router has 9090'),
			pattern: /^(?:(\[[0-9A-Fa-f:]+\]|[A-Za-z0-9.-]+):[0-9]{1,5})$/, told: _('is not HOST:PORT'),
			check: isPort, longest: 80, placeholder: '127.0.0.1:9090'
		},
		{
			name: 'router_id', title: _('Name of this router'),
			help: _('The label router_id of every sample; empty: its host name'), longest: 64, placeholder: ''
		},
		{
			name: 'aliases', kind: 'Flag', title: _('Second names'),
			help: _('Such as remsim_connection_latency_ms beside remsim_connection_latency_seconds'),
			placeholder: '1', advanced: true
		},
		{
			name: 'cells', title: _('Cells shown of a modem in a day'),
			help: _('Each is a series of its own, and tells where the router is; 0: none'),
			datatype: 'and(uinteger,range(0,1000))', placeholder: '32', advanced: true
		}
	],
	modem: [
		{
			name: 'usb_path', title: _('Place'),
			help: _('Where it is plugged in: a USB path like 1-1.2, or pci-0000:01:00.0'),
			pattern: /^(?:[0-9]+-[0-9]+(\.[0-9]+)*|pci-[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7])$/,
			told: _('is not like 1-1.2 or pci-0000:01:00.0'), longest: 64, needed: true
		},
		{ name: 'name', title: _('Name'), help: _('What to call it'), longest: 32 },
		{
			name: 'enabled', kind: 'Flag', title: _('Use it'), help: _('Off leaves its ports to other programs'),
			placeholder: '1'
		},
		{
			name: 'period_s', title: _('Ask it every'), help: _('1 to 60 seconds, or off; empty: as all modems'),
			unit: 's', pattern: PERIOD, told: _('is 1 to 60 seconds, or off'), longest: 6
		},
		{
			name: 'interface', title: _('Network interface'),
			help: _('Whose traffic is counted; empty: found by itself'), pattern: /^(?:[A-Za-z0-9_.-]+)$/,
			told: _('is not an interface\'s name'), longest: 15
		},
		{
			name: 'network', title: _('Interface in OpenWrt'),
			help: _('Its section in network; empty: found by itself'), pattern: /^(?:[A-Za-z0-9_]+)$/,
			told: _('is not a section of network'), longest: 32
		},
		{
			name: 'probe_targets', kind: 'DynamicList', check: isTarget,
			told: _('is not icmp:IP, tcp:IP:PORT or dns:IP[:PORT]'), title: _('Latency is measured to'),
			help: _('One a line; empty: as all modems'), most: 8, advanced: true
		},
		{
			name: 'board_modem', title: _('Slot on the board'), help: _('On a board whose GPIO lines are known'),
			datatype: 'and(uinteger,range(1,8))', advanced: true
		},
		{
			name: 'reset_gpio', title: _('GPIO line of its reset'),
			help: _('20, !20 (active low) or gpiochip0:20'), pattern: GPIO,
			told: _('is not a GPIO line like 20, !20 or gpiochip0:20'), longest: 20, advanced: true
		},
		{
			name: 'power_gpio', title: _('GPIO line of its power'), help: _('Active is on'), pattern: GPIO,
			told: _('is not a GPIO line like 20, !20 or gpiochip0:20'), longest: 20, advanced: true
		},
		{
			name: 'sim_gpio', title: _('GPIO line that chooses its SIM'), help: _('Active is the remote one'),
			pattern: GPIO, told: _('is not a GPIO line like 20, !20 or gpiochip0:20'), longest: 20, advanced: true
		}
	]
};

/* The osmo-remsim client's own file: what it does read. */
const CLIENT = {
	service: [
		{ name: 'enabled', kind: 'Flag', title: _('Run the remote-SIM client'), fallback: '0' }
	],
	monitoring: [
		{ name: 'signal_monitoring', kind: 'Flag', title: _('The client reads the signal, too'), fallback: '1' },
		{
			name: 'signal_interval', title: _('Every'), unit: 's', datatype: 'and(uinteger,range(10,600))', placeholder: '60',
			help: _('This service reads it by itself; two who ask a modem take turns.'), depends: 'signal_monitoring'
		}
	],
	logging: [
		{ name: 'debug', kind: 'Flag', title: _('Debug log'), fallback: '0' },
		{
			name: 'log_categories', title: _('Categories'), placeholder: 'DMAIN:DPCU', depends: 'debug', longest: 200,
			pattern: /^(?:[A-Z0-9]+(,[0-9]{1,2})?(:[A-Z0-9]+(,[0-9]{1,2})?)*)$/, told: _('is not like DMAIN:DPCU')
		}
	]
};

/* And what stands there without any effect. [section, option, why] */
const WITHOUT_EFFECT = [
	['security', 'use_tls', _('The client has no TLS: its traffic is not encrypted. Use a VPN.')],
	['security', 'ca_cert', _('The client has no TLS.')],
	['security', 'client_cert', _('The client has no TLS.')],
	['security', 'client_key', _('The client has no TLS.')],
	['heartbeat', 'interval', _('The client sends no heartbeat of its own.')],
	['heartbeat', 'timeout', _('The client sends no heartbeat of its own.')],
	['routing', 'force_iot_routing', _('Nobody reads it.')],
	['routing', 'iot_interface', _('Nobody reads it.')],
	['monitoring', 'track_data_usage', _('Nobody reads it; the page Usage counts all traffic.')],
	['monitoring', 'stats_interval', _('The client does not read it.')],
	['logging', 'syslog', _('The client always logs to the system log.')],
	['advanced', 'keep_running', _('It is read and not used.')],
	['modems', 'device', _('With one modem the client knows its board and is not told.')],
	['modems', 'sim_switch_gpio', _('With one modem the client knows its board and is not told.')],
	['modems', 'reset_gpio', _('With one modem the client knows its board and is not told.')]
];

return baseclass.extend({
	SECTIONS,
	CLIENT,
	WITHOUT_EFFECT
});
