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

const PLACE = /^(?:[0-9]+-[0-9]+(\.[0-9]+)*|pci-[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7])$/;
const HOST = /^(?:[A-Za-z0-9]([A-Za-z0-9.-]{0,250}[A-Za-z0-9])?|[0-9A-Fa-f:]{2,45})$/;
const ATR = /^(?:([0-9A-Fa-f]{2}){2,55})$/;
const BASE_URL = /^https?:\/\/(?:\[[0-9A-Fa-f:.]+\]|[^/?#@:[\]]+)(?::([0-9]*))?(?:\/[^?#]*)?$/i;
const ID = 'and(uinteger,range(0,1023))';
const LINE = 'and(uinteger,range(0,4095))';

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

/* An address of http or https with a host, without login, query or fragment. */
function isBaseUrl(text) {
	const found = /^[\x21-\x7e]+$/.test(text) ? BASE_URL.exec(text) : null;

	return !!found && (!found[1] || (Number(found[1]) >= 1 && Number(found[1]) <= 65535));
}

/* One IPv4 address, no wildcard. */
function isOwnAddress(text) {
	const first = Number(text.split('.')[0]);

	return IPV4.test(text) && text !== '0.0.0.0' && (first < 224 || first > 239);
}

const AID = /^([0-9A-Fa-f]{2}){5,16}$/;

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
	esim: [
		{
			name: 'engine', kind: 'ListValue', title: _('Profiles are downloaded by'),
			values: { own: _('this console'), lpac: _('lpac, where it is installed') }, placeholder: 'own'
		},
		{
			name: 'register_minutes', title: _('After a switch, wait for the network'), unit: 'min',
			help: _('Then the profile that was enabled before is enabled again'),
			datatype: 'and(uinteger,range(1,60))', placeholder: '5'
		},
		{
			name: 'notifications', kind: 'ListValue', title: _('Tell operators of changes'),
			values: { auto: _('at once, and again until they are taken'), manual: _('when you say so') },
			help: _('Who is not told of a delete refuses the next download'), placeholder: 'auto'
		},
		{
			name: 'smds', title: _('Discovery server'), help: _('Empty: the one that the card names, else GSMA\'s'),
			pattern: /^(?:[A-Za-z0-9]([A-Za-z0-9.-]{0,250}[A-Za-z0-9])?(:[0-9]{1,5})?)$/, told: _('is not a host\'s name'),
			longest: 253, placeholder: ''
		},
		{
			name: 'readers', kind: 'Flag', title: _('Use card readers'), help: _('Through pcscd, where it runs'),
			placeholder: '1', advanced: true
		},
		{
			name: 'block_size', title: _('Octets sent to a card at once'), help: _('120 works nearly everywhere'),
			datatype: 'and(uinteger,range(6,255))', placeholder: '120', advanced: true
		},
		{
			name: 'isdr_aids', kind: 'DynamicList', check: text => AID.test(text), told: _('is not 5 to 16 octets in hex'),
			title: _('Names of the ISD-R'),
			help: _('One a line, in hex, tried in this order. Some removable cards have another than the standard\'s'),
			most: 16, placeholder: [], advanced: true
		},
		{
			name: 'lpac_path', title: _('lpac\'s program'),
			help: _('The program itself, not OpenWrt\'s script. Empty: looked for where it is installed'),
			pattern: /^(?:\/(usr|opt)(\/[A-Za-z0-9_][A-Za-z0-9_.-]*){0,6}\/lpac)$/, told: _('is not like /usr/lib/lpac'),
			longest: 128, placeholder: '', advanced: true
		},
		{
			name: 'ca_file', title: _('File of other root certificates'),
			help: _('PEM; servers of a laboratory are trusted with it, as those under GSMA\'s roots are'),
			pattern: FOLDER, told: _('is not an absolute path'), longest: 256, placeholder: '', advanced: true
		}
	],
	modem: [
		{
			name: 'usb_path', title: _('Place'),
			help: _('Where it is plugged in: a USB path like 1-1.2, or pci-0000:01:00.0'),
			pattern: PLACE,
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
		},
		{
			name: 'card_way', kind: 'ListValue', title: _('Its eSIM is reached by'), placeholder: 'auto',
			help: _('For a modem whose eSIM cannot be read, or breaks off while a profile loads'), values: {
				auto: _('what its family is known for'), cgla: 'AT+CGLA', csim: 'AT+CSIM', qmi: 'QMI', mbim: 'MBIM'
			}, advanced: true
		}
	]
};

/* Remote SIM, which has a page of its own for what happens there. `depends`: [option, value]. */
const REMOTE = {
	remote_client: [
		{ name: 'enabled', kind: 'Flag', title: _('Run it'), placeholder: '1' },
		{
			name: 'modem', title: _('Modem'), help: _('The place of the modem it gives a SIM to'), pattern: PLACE,
			told: _('is not like 1-1.2 or pci-0000:01:00.0'), longest: 64
		},
		{
			name: 'program', kind: 'ListValue', title: _('Program'), placeholder: 'st2', values: {
				st2: _('osmo-remsim-client-st2 (SIMtrace2 hardware)'), openwrt: _('osmo-remsim-client-openwrt'),
				shell: _('osmo-remsim-client-shell')
			}
		},
		{ name: 'client_id', title: _('Client id'), datatype: ID, needed: true },
		{ name: 'client_slot', title: _('Client slot'), datatype: ID, placeholder: '0' },
		{
			name: 'server_host', title: _('Server'), pattern: HOST, told: _('is not a host\'s name or address'), longest: 253,
			placeholder: '127.0.0.1'
		},
		{
			name: 'server_port', title: _('Port of the server'), datatype: 'and(uinteger,range(1,65535))',
			placeholder: '9998', advanced: true
		},
		{
			name: 'atr', title: _('ATR'), pattern: ATR, told: _('is not 2 to 55 bytes in hex'), longest: 110, advanced: true
		},
		{ name: 'atr_ignore_rspro', kind: 'Flag', title: _('Keep this ATR'), placeholder: '0', advanced: true },
		{
			name: 'log_categories', title: _('What its log has'), pattern: /^(?:[A-Z0-9,:]+)$/,
			told: _('is not like DMAIN,3:DRSPRO,3'), longest: 120, placeholder: 'DMAIN,3:DRSPRO,3', advanced: true
		},
		{
			name: 'usb_path', title: _('Place of the SIMtrace2 board'), pattern: PLACE, told: _('is not like 1-1.2'),
			longest: 64, advanced: true, depends: ['program', 'st2']
		},
		{
			name: 'sim_switch_gpio', title: _('GPIO that switches the SIM'),
			help: _('Of osmo-remsim-client-openwrt, 1 for the remote one. Without it no GPIO is driven'), datatype: LINE,
			advanced: true, depends: ['program', 'openwrt']
		},
		{
			name: 'reset_gpio', title: _('GPIO that resets the modem'),
			help: _('Of osmo-remsim-client-openwrt, which it holds high for half a second'), datatype: LINE,
			advanced: true, depends: ['program', 'openwrt']
		},
		{
			name: 'relay', kind: 'Flag', title: _('Count TPDUs and authentications'), placeholder: '0', advanced: true,
			help: _('By a relay of this router that all of the SIM\'s traffic passes. If it dies, the SIM drops. Switching it on or off restarts the client and costs one modem reset')
		}
	],
	remsim_server: [
		{
			name: 'url', title: _('Address'), help: _('Of its REST interface, like http://10.0.0.5:9997'), check: isBaseUrl,
			told: _('is not like http://HOST:PORT'), longest: 256, needed: true
		}
	],
	remote_sim: [
		{
			name: 'restore', kind: 'ListValue', title: _('Restore slot maps of a server that restarted'),
			help: _('Each restored map costs one modem reset'), placeholder: 'now',
			values: { now: _('at once'), hold: _('when the modem is offline, or you say so') }
		},
		{
			name: 'reconcile_s', title: _('Look at the server every'), unit: 's', datatype: 'and(uinteger,range(1,60))',
			placeholder: '5'
		},
		{
			name: 'gsmtap', title: _('Count what a bankd sends by GSMTAP to'), check: isOwnAddress,
			help: _('An address of this router, the one of bankd\'s option -g; sums over all slots of that bankd'),
			told: _('is not an IPv4 address like 192.168.1.1'), longest: 15, placeholder: '', advanced: true
		}
	],
	ionmesh: [
		{ name: 'enabled', kind: 'Flag', title: _('Use IonMesh'), placeholder: '0' },
		{
			name: 'url', title: _('Address'), help: _('Like https://HOST:PORT'), check: isBaseUrl,
			told: _('is not like http://HOST:PORT'), longest: 256, placeholder: ''
		},
		{
			name: 'api_key', title: _('API key'), pattern: /^(?:[\x21-\x7e]+)$/, told: _('is not printable text without blanks'),
			longest: 256, secret: true
		},
		{ name: 'tenant_id', title: _('Tenant'), datatype: 'and(uinteger,range(0,2147483647))', placeholder: '1' },
		{
			name: 'mapping_mode', kind: 'ListValue', title: _('Mapping mode'), placeholder: 'ONE_TO_ONE_SWSIM', values: {
				ONE_TO_ONE_SWSIM: _('One to one, physical SIM'), ONE_TO_ONE_VSIM: _('One to one, virtual SIM'),
				KI_PROXY_SWSIM: _('KI proxy')
			}
		},
		{
			name: 'mcc_mnc', title: _('MCC and MNC'), pattern: /^(?:[0-9]{5,6})$/, told: _('is not 5 or 6 digits'),
			longest: 6, placeholder: ''
		},
		{ name: 'verify_tls', kind: 'Flag', title: _('Check its certificate'), placeholder: '1', advanced: true }
	]
};

/* The osmo-remsim client's own file: what it does read. */
const CLIENT = {
	service: [
		{ name: 'enabled', kind: 'Flag', title: _('Run the remote-SIM client'), fallback: '0' }
	],
	client: [
		{
			name: 'client_id', title: _('Client id'), datatype: ID,
			help: _('Without it the client calls itself C0:0, as every router without an id does')
		},
		{ name: 'client_slot', title: _('Client slot'), datatype: ID, placeholder: '0' }
	],
	server: [
		{
			name: 'host', title: _('Server'), pattern: HOST, told: _('is not a host\'s name or address'), longest: 253,
			help: _('An address rather than a name: the client ends each time the name cannot be resolved')
		},
		{ name: 'port', title: _('Port of the server'), datatype: 'and(uinteger,range(1,65535))', placeholder: '9998' },
		{ name: 'atr', title: _('ATR'), pattern: ATR, told: _('is not 2 to 55 bytes in hex'), longest: 110 },
		{ name: 'atr_ignore_rspro', kind: 'Flag', title: _('Keep this ATR'), fallback: '0' }
	],
	modems: [
		{
			name: 'dual_modem', kind: 'Flag', title: _('Two modems'), fallback: '0',
			help: _('Only so are the device and the GPIOs below read. Without it the client opens /dev/ttyUSB2, takes other programs\' replies and floods the log when the modem restarts')
		}
	],
	modem1: [
		{
			name: 'device', title: _('AT port'), pattern: /^(?:\/[A-Za-z0-9_./-]+)$/, told: _('is not a path'), longest: 128,
			help: _('Name one that does not exist: all else works, and the ports stay with this service')
		},
		{ name: 'sim_switch_gpio', title: _('GPIO that switches the SIM'), datatype: LINE, placeholder: '20' },
		{ name: 'reset_gpio', title: _('GPIO that resets the modem'), datatype: LINE, placeholder: '21' }
	],
	modem2: [
		{
			name: 'sim_switch_gpio', title: _('GPIO that switches the SIM'), datatype: LINE, placeholder: '22',
			help: _('Set to low once when the client starts; 0: none')
		}
	],
	ionmesh: [
		{
			name: 'enabled', kind: 'Flag', title: _('Use IonMesh'), fallback: '0',
			help: _('Sets its address only: it is used when “ionmesh” is in the path of the event script')
		},
		{
			name: 'host', title: _('IonMesh'), pattern: HOST, told: _('is not a host\'s name or address'), longest: 253,
			depends: 'enabled'
		},
		{
			name: 'port', title: _('Port'), datatype: 'and(uinteger,range(1,65535))', placeholder: '5000',
			depends: 'enabled'
		},
		{
			name: 'tenant_id', title: _('Tenant'), datatype: 'and(uinteger,range(0,2147483647))', placeholder: '1',
			depends: 'enabled'
		},
		{
			name: 'mapping_mode', kind: 'ListValue', title: _('Mapping mode'), placeholder: 'ONE_TO_ONE_SWSIM',
			depends: 'enabled', values: {
				ONE_TO_ONE_SWSIM: _('One to one, physical SIM'), ONE_TO_ONE_VSIM: _('One to one, virtual SIM'),
				KI_PROXY_SWSIM: _('KI proxy')
			}
		},
		{
			name: 'mcc_mnc', title: _('MCC and MNC'), pattern: /^(?:[0-9]{5,6})$/, told: _('is not 5 or 6 digits'),
			longest: 6, depends: 'enabled'
		}
	],
	advanced: [
		{
			name: 'event_script', title: _('Event script'), pattern: /^(?:\/[A-Za-z0-9_./+:@%-]+)$/,
			told: _('is not a path without blanks and signs that a shell understands'), longest: 200,
			help: _('/etc/remsim/event-script.sh tells this service what happens')
		}
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
			help: _('All others are off: only with DRSPRO there are lines about the connection, as in DMAIN,3:DRSPRO,3'),
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
	['routing', 'force_iot_routing', _('Nobody reads it but /etc/remsim/setup-routing.sh, when you run that.')],
	['routing', 'iot_interface', _('Nobody reads it but /etc/remsim/setup-routing.sh, when you run that.')],
	['monitoring', 'track_data_usage', _('Nobody reads it; the page Usage counts all traffic.')],
	['monitoring', 'stats_interval', _('The client does not read it.')],
	['logging', 'syslog', _('The client always logs to the system log.')],
	['advanced', 'keep_running', _('It is read and not used.')],
	['modems', 'device', _('With one modem the client is not told: it takes /dev/ttyUSB2, else /dev/cdc-wdm0.')],
	['modems', 'sim_switch_gpio', _('With one modem the client is not told: it drives GPIO 20.')],
	['modems', 'reset_gpio', _('With one modem the client is not told: it drives GPIO 21.')]
];

return baseclass.extend({
	SECTIONS,
	REMOTE,
	CLIENT,
	WITHOUT_EFFECT
});
