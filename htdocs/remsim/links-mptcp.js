/** One connection over all links: whether the kernel can, what MPTCP does now, its subflows, its settings. */

import { AskedData } from './asked-data.js';
import { el, fill, setText } from './dom.js';
import { FormView } from './form.js';
import { bytes, count, number, withUnit } from './format.js';
import { keptSecrets, shownValues } from './kept-secrets.js';
import { linkName } from './links-words.js';
import { errorText } from './remote-data.js';
import { LiveTable } from './table.js';
import { msg } from './words.js';

const AGAIN_MS = { live: 5000, polling: 8000 };
const COUNTS = [['sessions', msg('Connections now')], ['served', msg('Led through the server')], ['direct', msg('Gone without it')], ['failed', msg('Not taken by the server')], ['refused', msg('Refused')],
	['from_client_bytes', msg('Sent by devices'), bytes], ['to_client_bytes', msg('Received by devices'), bytes]];
/** States of TCP as the kernel names them, where a word says more. */
const STATES = { ESTAB: msg('up'), 'SYN-SENT': msg('being set up'), 'SYN-RECV': msg('being set up') };

export class MptcpTab {
	constructor(ctx) {
		const { t } = ctx;
		this._ctx = ctx;
		this.data = new AskedData(ctx.options, ctx.store, () => this.update(), 'links/mptcp', AGAIN_MS);
		this.state = el('div.remsim-stack.remsim-mptcpstate', { role: 'status' });
		this.kernel = el('details', { hidden: true });
		this.form = el('div');
		this.endpoints = new LiveTable([
			{ label: t('Link'), node: row => this._link(row.link) }, { label: t('Address'), text: row => row.address }, { label: t('Device'), text: row => row.device },
			{ label: t('Use'), text: row => row.is_backup ? t('only while no other works') : t('in use') }
		], row => `${row.link} ${row.address} ${row.device} ${this._names}`, t('Addresses that connections begin from'));
		this.subflows = new LiveTable([
			{ label: t('Connection'), text: row => row.token }, { label: t('Link'), node: row => this._way(row) },
			{ label: t('State'), text: row => STATES[row.state] ? t(STATES[row.state]) : row.state.toLowerCase() }, { label: t('Round trip'), isNumber: true, text: row => withUnit(row.rtt_ms, 'ms', 1) },
			{ label: t('Received'), isNumber: true, text: row => bytes(row.received_bytes) }, { label: t('Sent'), isNumber: true, text: row => bytes(row.sent_bytes) },
			{ label: t('From'), text: row => row.local }, { label: t('To'), text: row => row.remote }
		], row => `${row.token} ${row.local} ${row.remote} ${this._names}`, t('Connections and their parts'));
		this.counts = el('dl.remsim-facts');
		this.noEndpoints = el('p.remsim-muted');
		this.noSubflows = el('p.remsim-muted');
		this.proxy = this._panel(t('The proxy'), this.counts);
		this.known = [this.proxy, this._panel(t('Connections and their parts'), this.subflows.root, this.noSubflows), this._panel(t('Addresses that connections begin from'), this.endpoints.root, this.noEndpoints)];
		this.root = el('div.remsim-stack', {},
			this._panel(t('One connection over all links'), el('p.remsim-help', {}, t('Shared out as usual, a connection has one link. With MPTCP it has all of them at once, and goes on when one fails. The other end has to speak MPTCP too: a small server of yours, which passes on what comes.')), this.state, this.kernel),
			this.known, this._panel(t('Settings of MPTCP'), this.form), this._server());
		this._hideKnown(true);
	}

	destroy() {
		this.data.destroy();
	}

	async show() {
		const { t, request } = this._ctx;
		this.data.load();
		if (this._written)
			return;
		fill(this.form, el('p.remsim-muted', {}, t('loading …')));
		try {
			const [schema, { values, kept = [] }] = await Promise.all([request('links/form', { query: { section: 'mptcp' } }), request('links/mptcp/settings')]);
			this._written = values;
			this._draw(schema, values, kept);
			this.update();
		} catch (error) {
			fill(this.form, el('p.remsim-problem', {}, errorText(error)), el('button', { type: 'button', click: () => this.show() }, t('Try again')));
		}
	}

	tick() {
		this.data.tick();
	}

	/** Links, MPTCP or its settings were heard of. */
	update() {
		const { view, error } = this.data;
		if (!view || !this._ctx.data.view) {
			if (error)
				fill(this.state, el('p.remsim-problem', {}, errorText(error)));
			return;
		}
		const parts = error ? [['problem', errorText(error)]] : this._sentences(view), told = JSON.stringify(parts);
		if (told !== this._told)
			fill(this.state, parts.map(([look, ...texts]) => el(look === 'problem' ? 'p.remsim-problem' : look === 'good' ? 'p.remsim-links-sentence' : 'p', {}, el('strong', {}, texts[0]), texts[1] ? ` ${texts[1]}` : '')));
		this._told = told;
		this._kernel(view.sysctls);
		const isOn = view.enabled && view.is_supported;
		this._hideKnown(!isOn);
		this.proxy.hidden = !isOn || !view.proxy.server;
		this._names = this._ctx.data.links.map(linkName).join('\n');  // rows are made anew when a link is called otherwise
		this._tables(view);
	}

	/** [look, sentence, what to do] of what is so now, the first thing in the way before all others. */
	_sentences({ is_supported: isSupported, sysctls, enabled, problem, proxy, endpoints }) {
		const { t, data } = this._ctx, links = data.view, isWanted = this._written?.enabled;
		if (problem)
			return [['problem', `${problem.message[0].toUpperCase()}${problem.message.slice(1).replace(/\.$/, '')}.`, problem.hint]];
		if (!isSupported)
			return [[isWanted ? 'problem' : 'plain', t('The kernel of this router cannot do MPTCP as it is.'), this._remedy(sysctls)]];
		if (!isWanted && !enabled)
			return [['plain', t('MPTCP is off: each connection has one link.'), t('Set up a server as said below, enter it in the settings, and switch it on.')]];
		if (links.is_simulated)
			return [['plain', t('Links are simulated here, so MPTCP does nothing.'), t('Its settings are kept.')]];
		if (links.state !== 'running')
			return [['plain', t('MPTCP is switched on, but links are not: it does nothing.'), t('Switch links on first.')]];
		if (!enabled)
			return [['plain', t('MPTCP is being set up …')]];
		const ways = endpoints.filter(one => !one.is_backup).length || endpoints.length;
		if (!ways)
			return [['plain', t('No link is in use, so no connection has a way.')]];
		if (!proxy.server)
			return [['good', t('Programs of this router that speak MPTCP use %s links at once.', ways), t('Connections of the LAN still have one link each: no server is entered that would pass them on.')]];
		if (proxy.state !== 'running')
			return [['plain', t('The proxy is being started …')]];
		return [['good', proxy.is_redirecting ? t('TCP of the LAN to %s goes through %s over %s links at once.', this._ports(proxy.ports), proxy.server, ways) : t('The proxy works, but no port is led through it.'),
			proxy.counts.failed && !proxy.counts.served ? t('The server has taken no connection yet: see whether its address, port, user and password are right.') : '']];
	}

	_ports(ports) {
		const { t } = this._ctx;
		return ports.includes('all') ? t('all ports') : ports.length === 1 ? t('port %s', ports[0]) : t('ports %s', ports.join(', '));
	}

	/** What to do about a kernel that cannot. */
	_remedy(sysctls) {
		const { t } = this._ctx;
		if (!Object.keys(sysctls).length)
			return t('It was built without MPTCP (CONFIG_MPTCP); another image of OpenWrt may have it.');
		return sysctls.enabled === '0' ? t('Switch it on: sysctl -w net.mptcp.enabled=1') : t('Have the kernel make subflows: sysctl -w net.mptcp.pm_type=0');
	}

	_kernel(sysctls) {
		const { t } = this._ctx, told = JSON.stringify(sysctls), rows = Object.entries(sysctls);
		if (told === this._kernelTold)
			return;
		this._kernelTold = told;
		this.kernel.hidden = !rows.length;
		fill(this.kernel, el('summary', {}, t('Settings of the kernel')), el('dl.remsim-facts', {}, rows.map(([name, value]) => el('div', {}, el('dt.remsim-mono', {}, `net.mptcp.${name}`), el('dd', {}, value)))));
	}

	_tables({ endpoints, proxy, connections }) {
		const { t } = this._ctx, show = (table, none, rows, text) => {
			table.root.hidden = !rows.length;
			none.hidden = rows.length > 0;
			setText(none, text);
			table.show(rows);
		};
		show(this.endpoints, this.noEndpoints, endpoints, t('There is none: a link has to be up and to have an address.'));
		const rows = (connections || []).flatMap(({ token, subflows }) => subflows.map(one => ({ token, ...one })));
		show(this.subflows, this.noSubflows, rows, connections ? t('No connection uses MPTCP now.') : t('They are read by the program ss, which is missing. Install it: opkg update; opkg install ss'));
		const counts = COUNTS.filter(([name]) => name in proxy.counts).map(([name, word, form = count]) => [t(word), form(proxy.counts[name])]), told = JSON.stringify(counts);
		if (told !== this._countsTold)
			fill(this.counts, counts.length ? counts.map(([word, value]) => el('div', {}, el('dt', {}, word), el('dd', {}, value))) : el('div', {}, el('dd.remsim-muted', {}, t('It has told nothing yet.'))));
		this._countsTold = told;
	}

	_link(index) {
		const link = this._ctx.data.view.links.find(one => one.index === index);
		return el('span', {}, link ? el(`span.remsim-linkswatch.remsim-series-${index}`, { 'aria-hidden': 'true' }) : null, link ? linkName(link) : number(index));
	}

	/** The link that a subflow goes over: by its device, else by the address it begins from. */
	_way({ device, local }) {
		const { t } = this._ctx, found = this.data.view.endpoints.find(one => device ? one.device === device : local.replace(/^\[|\]?:\d+$/g, '') === one.address);
		return found ? this._link(found.link) : el('span.remsim-muted', {}, device || t('the router’s default way'));
	}

	/** `kept`: secrets that are set, of which nothing else is told. */
	_draw(schema, values, kept) {
		const { t, options } = this._ctx, shown = keptSecrets(schema, values, kept);
		for (const [name, property] of Object.entries(shown.properties)) {
			if (property.format !== 'password')
				property.default = values[name] ?? schema.properties[name].default;
		}
		const form = new FormView(shown, { t, isReadonly: options.readonly, submitLabel: t('Save'), values: shownValues(values), submit: given => this._save(given) });
		fill(this.form, options.readonly ? null : el('p.remsim-help', {}, t('Saved settings are in force at once; connections that run through the proxy end then, and begin again.')), form.root);
	}

	async _save(values) {
		const { t, request, said } = this._ctx;
		await request('links/mptcp/settings', { method: 'PUT', body: values });
		this._written = null;
		await this.show();
		said(t('The settings of MPTCP are saved.'));
	}

	/** How one comes by a server. */
	_server() {
		const { t } = this._ctx;
		return this._panel(t('A server for it'), el('p', {}, t('Any machine with Debian 12 or later and a good connection does, such as a small virtual one. Copy script/mptcp-server from remsim’s source to it and run it there as root:')),
			el('pre', {}, 'sh mptcp-server --port 1080'), el('p', {}, t('It installs what is needed, makes a password, and prints what to enter above. docs/mptcp.md says more: by hand, what others can see, carriers that get in the way.')));
	}

	_panel(title, ...content) {
		return el('section.remsim-panel', { 'aria-label': title }, el('header', {}, el('h2', {}, title)), content);
	}

	_hideKnown(isHidden) {
		this.known.forEach(panel => { panel.hidden = isHidden; });
	}
}
