/** The Remote SIM page: clients and servers now, slot maps, settings; which of them stands in the address. */

import { el, fill, setText } from './dom.js';
import { ClientCard } from './remote-client.js';
import { GsmtapPanel } from './remote-counts.js';
import { RemoteData, errorText } from './remote-data.js';
import { RemoteEvents } from './remote-events.js';
import { Faults } from './remote-faults.js';
import { IonMeshPanel } from './remote-ionmesh.js';
import { MapsTab } from './remote-maps.js';
import { ServerPanel } from './remote-server.js';
import { SettingsTab } from './remote-settings.js';
import { FirstSteps } from './remote-start.js';
import { bankSlotName } from './remote-words.js';
import { TabbedFrame } from './tabs.js';
import { msg } from './words.js';

const TABS = [['now', msg('Now')], ['maps', msg('Slot maps')], ['settings', msg('Settings')]];

/** Mount the Remote SIM page into `node`; `options` as for dashboard.js. Returns {destroy, pause, resume, isWaiting}. */
export async function mount(node, options) {
	const page = new RemoteSimPage(node, options);
	await page.start();
	return page;
}

class RemoteSimPage extends TabbedFrame {
	constructor(node, options) {
		super(node, options, 'remsim-remotepage', { label: msg('Remote SIM'), tabs: TABS });
		const { t } = this.options;
		this.data = new RemoteData(this.options, this.store, () => this.shown());
		this.context = {
			...this.contextOf(this.data), said: text => this.said(text),
			failed: text => { setText(this.refused, text); this.refused.hidden = !text; if (text) this.said(''); }
		};
		this.refused = el('p.remsim-problem', { role: 'alert', hidden: true });
		this.warnings.classList.add('remsim-remote-warnings');
		this.steps = new FirstSteps(this.context);
		this.clients = new Map();
		this.servers = new Map();
		this.clientList = el('div.remsim-cards');
		this.serverList = el('div.remsim-remote-servers');
		this.others = el('section.remsim-panel', { hidden: true, 'aria-label': t('Clients of others') });
		this.ionmesh = new IonMeshPanel(this.context);
		this.gsmtap = new GsmtapPanel(this.context);
		this.events = new RemoteEvents(this.context);
		this.faults = new Faults(this.context);
		this.maps = new MapsTab(this.context);
		this.settings = new SettingsTab(this.context);
		this.spool = el('p.remsim-problem', { hidden: true });
		this.tabsOpen = {
			now: { root: el('div.remsim-stack', {}, this.steps.root, this.spool, this.clientList, this.serverList, this.ionmesh.root, this.gsmtap.root, this.others, this.events.root, this.faults.root) },
			maps: { root: this.maps.root }, settings: { root: this.settings.root, show: asked => this.settings.show(asked.get('add')) }
		};
		fill(this.body, this.nav, this.trouble, this.refused, this.warnings, this.panel);
		this._leaving = event => { if (this.settings.isDirty) event.preventDefault(); };
		window.addEventListener('beforeunload', this._leaving);
		this.begin();
	}

	destroy() {
		window.removeEventListener('beforeunload', this._leaving);
		this.data.destroy();
		super.destroy();
	}

	changed() {
		if (!this._asked) {
			this._asked = true;
			this.data.load();
			this.events.load();
		} else if (this.data.view)
			this._names();
	}

	happened(event) {
		this.data.happened(event);
		this.events.happened(event);
	}

	tick() {
		this.data.tick();
		if (this.tab === 'now')
			[...this.clients.values(), ...this.servers.values(), this.ionmesh].forEach(one => one.tick());
	}

	left() {
		this.said('');
		this.context.failed('');
	}

	/** Modems came, went or got another name. */
	_names() {
		const told = JSON.stringify(this.store.list().map(modem => [modem.id, modem.name]));
		if (told !== this._named)
			this.shown();
		this._named = told;
	}

	shown() {
		const { t } = this.options, { data } = this, { view, error } = data;
		this.trouble.hidden = !error;
		if (error)
			fill(this.trouble, errorText(error), ' ', el('button', { type: 'button', click: () => data.load() }, t('Try again')));
		if (!view)
			return;
		const ours = data.ours, remote = ours.filter(client => client.state === 'remote').length;
		setText(this.summary, ours.length ? t('%s of %s use their remote card', remote, ours.length) : '');
		this.warn(view.warnings || []);
		const conflicts = data.maps.filter(map => map.conflict || map.held).length;
		setText(this.links.maps, conflicts ? t('Slot maps (%s)', conflicts) : t('Slot maps'));
		if (this.tab === 'maps')
			this.maps.update();
		if (this.tab !== 'now')
			return;
		this.steps.update();
		this.faults.update();
		this._each(this.clients, this.clientList, ours, client => client.name || client.client_slot, client => new ClientCard(this.context, client));
		this._each(this.servers, this.serverList, data.servers, server => server.name || server.url, () => new ServerPanel(this.context));
		this.ionmesh.update(view.ionmesh);
		this.gsmtap.update(view.gsmtap);
		this._others(data.clients.filter(client => client.configured === false));
		const { dropped, problem } = view.spool || {};
		this.spool.hidden = !dropped && !problem;
		setText(this.spool, [problem, dropped ? t('%s reports of clients were dropped because too many came at once: what is shown may be late.', dropped) : ''].filter(Boolean).join(' '));
	}

	/** Keep a list of parts: made once a key, in the order of the answer. */
	_each(parts, list, rows, keyOf, make) {
		const kept = new Set();
		rows.forEach((row, at) => {
			const key = keyOf(row), part = parts.get(key) || make(row);
			parts.set(key, part);
			kept.add(key);
			part.update(row);
			if (list.children[at] !== part.root)
				list.insertBefore(part.root, list.children[at] || null);
		});
		for (const [key, part] of parts) {
			if (!kept.has(key)) {
				part.root.remove();
				parts.delete(key);
			}
		}
	}

	_others(clients) {
		const { t } = this.options, told = JSON.stringify(clients);
		this.others.hidden = !clients.length;
		if (told !== this._othersTold)
			fill(this.others, el('h2', {}, t('Clients of others')), el('p.remsim-help', {}, t('Seen at the server, but not of this router.')),
				el('ul.remsim-plainlist', {}, clients.map(client => el('li.remsim-entry', {}, el('strong', {}, t('client %s', client.client_slot)),
					el('span.remsim-muted', {}, [client.host || client.software || '', client.bank_slot ? bankSlotName(client.bank_slot, t) : ''].filter(Boolean).join(' · ')), client.health ? el('span.remsim-entry-more', {}, client.health) : null))));
		this._othersTold = told;
	}
}
