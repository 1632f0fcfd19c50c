'use strict';
'require baseclass';
'require rpc';
'require remsim.service as service';

/* LuCI asks each few seconds, and a modem's state does not change so often: one request in this time. */
const KEEP_MS = 15000;
const MODEMS = 'admin/services/remsim/modems';
const STATES = {
	starting: _('Starting'),
	online: _('Online'),
	searching: _('Searching for a network'),
	denied: _('Refused by the network'),
	limited: _('Emergency calls only'),
	no_sim: _('No SIM'),
	sim_pin: _('SIM PIN wanted'),
	sim_puk: _('SIM blocked (PUK)'),
	sim_error: _('SIM error'),
	low_power: _('Radio off'),
	not_answering: _('Does not answer'),
	failed: _('Out of order'),
	boot: _('In a boot mode'),
	port_busy: _('Port in use'),
	rebooting: _('Restarting'),
	gone: _('Unplugged'),
	paused: _('Polling off')
};

/* Who may not look at the modems is not to be sent to the login by this box. */
const mayRead = rpc.declare({
	object: 'session',
	method: 'access',
	params: [ 'scope', 'object', 'function' ],
	expect: { access: false }
});

/* LuCI's status overview has a row for each modem. */
return baseclass.extend({
	title: _('Modems'),

	async load() {
		if (!this.asked || Date.now() - this.asked > KEEP_MS) {
			this.asked = Date.now();
			this.isAllowed ??= await mayRead('access-group', 'luci-app-remsim', 'read');
			this.answer = this.isAllowed ? await service.ask('modems').catch(() => null) : null;
		}

		return this.answer;
	},

	render(answer) {
		if (!answer?.modems?.length)
			return null;

		return E('table', { 'class': 'table' }, [...answer.modems.map(modem => {
			const level = modem.reading?.rsrp_dbm ?? modem.reading?.rssi_dbm;
			const words = [STATES[modem.state] ?? modem.state, modem.reading?.operator, Number.isFinite(level) ? '%d dBm'.format(level).replace('-', '−') : ''];
			const address = `${L.url(MODEMS)}#${new URLSearchParams({ modem: modem.id, tab: 'signal' })}`;

			return E('tr', { 'class': 'tr' }, [
				E('td', { 'class': 'td left', 'width': '33%' }, [E('a', { 'href': address }, [modem.name])]),
				E('td', { 'class': 'td left' }, [words.filter(Boolean).join(' · ')])
			]);
		})]);
	}
});
