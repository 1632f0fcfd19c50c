/** The box “Which link?”: an address, a host or a device is typed, the chain of policies answers. */

import { el, fill } from './dom.js';
import { field, select } from './dialog.js';
import { linkName } from './links-words.js';
import { explainedNodes } from './policies-explained.js';
import { targetOf } from './policies-words.js';
import { errorText } from './remote-data.js';

export class ExplainBox {
	/** `ctx` of policies.js; `text()`: what is asked instead of what is in force, null for that. */
	constructor(ctx, { text = () => null, open = null } = {}) {
		const { t } = ctx;
		Object.assign(this, { _ctx: ctx, _text: text, _open: open });
		const line = attributes => el('input', { type: 'text', autocomplete: 'off', autocapitalize: 'off', spellcheck: 'false', ...attributes });
		this.devices = el('datalist', { id: `remsim-explain-devices-${++ExplainBox.made}` });
		this.target = line({ placeholder: 'www.example.com', required: true });
		this.source = line({ list: this.devices.id, placeholder: t('any device'), focus: () => this._hosts() });
		this.port = line({ inputmode: 'numeric', size: 6, placeholder: '443' });
		this.protocol = select([['', t('any')], ['tcp', 'TCP'], ['udp', 'UDP'], ['icmp', 'ICMP']], '');
		this.application = line({});
		this.dscp = line({ size: 6 });
		this.at = el('input', { type: 'datetime-local' });
		this.error = el('p.remsim-problem', { role: 'alert', hidden: true });
		this.answer = el('div.remsim-answer', { role: 'status' });
		this.form = el('form.remsim-explainform', { novalidate: true, submit: event => { event.preventDefault(); this.ask(); } },
			field(t('To'), this.target, t('A name, an address, or what stands in a browser’s bar.')), field(t('From'), this.source),
			el('div.remsim-explainpair', {}, field(t('Port'), this.port), field(t('Protocol'), this.protocol)),
			el('details', {}, el('summary', {}, t('More')), el('div.remsim-explainpair', {}, field(t('Application'), this.application), field(t('DSCP'), this.dscp)), field(t('At'), this.at, t('Empty: now.'))),
			el('div.remsim-submit', {}, el('button.remsim-primary', { type: 'submit' }, t('Which link?'))), this.devices);
		this.root = el('section.remsim-panel.remsim-explain', { 'aria-label': t('Which link?') }, el('header', {}, el('h2', {}, t('Which link?'))), this.form, this.error, this.answer);
	}

	/** Devices of the LAN, from the flows that are there. */
	async _hosts() {
		if (this._hostsAsked)
			return;
		this._hostsAsked = true;
		const { by_host: hosts = [] } = await this._ctx.request('links/flows', { query: { limit: 1 } }).catch(() => ({}));
		fill(this.devices, hosts.map(one => el('option', { value: one.host }, one.name || '')));
	}

	/** The text has changed: an answer that is shown is asked for again. */
	again() {
		if (this._asked)
			this.ask(false);
	}

	async ask(isByHand = true) {
		const { t, request } = this._ctx, target = targetOf(this.target.value);
		const refuse = (text, input) => {
			this.error.hidden = !text;
			fill(this.error, text);
			if (text)
				fill(this.answer);
			input?.setAttribute('aria-invalid', 'true');
			input?.focus();
		};
		const port = this.port.value.trim();
		[this.target, this.port].forEach(input => input.removeAttribute('aria-invalid'));
		if (!target) {
			refuse(t('Type a name or an address, such as www.example.com.'), this.target);
			return;
		}
		if (port && !(/^\d{1,5}$/.test(port) && Number(port) >= 1 && Number(port) <= 65535)) {
			refuse(t('A port is a number from 1 to 65535.'), this.port);
			return;
		}
		const text = this._text(), at = this.at.value ? new Date(this.at.value).toISOString() : '';
		const body = { ...(text === null ? {} : { text }), ...target, port: port ? Number(port) : target.port, ...deviceOf(this.source.value.trim()), protocol: this.protocol.value, application: this.application.value.trim(), dscp: this.dscp.value.trim(), at };
		const question = this._asked = {};
		try {
			const answer = await request('policies/explain', { method: 'POST', body: Object.fromEntries(Object.entries(body).filter(([, value]) => value !== '' && value !== undefined && value !== null)) });
			if (question !== this._asked)
				return;
			refuse('');
			const names = new Map((this._ctx.words?.links || []).map(link => [link.name, linkName(link)]));
			fill(this.answer, explainedNodes(answer, { t, named: name => names.get(name) || name, open: this._open }));
			if (isByHand)
				this.answer.scrollIntoView?.({ block: 'nearest' }); // on a phone it is below the window
		} catch (error) {
			if (question !== this._asked)
				return;
			if (isByHand) {
				this._asked = null;
				refuse(errorText(error));
			}
		}
	}
}
ExplainBox.made = 0;

/** A device as it was typed: by its address, or its hardware address. */
function deviceOf(typed) {
	return /^[0-9a-f]{2}([:-][0-9a-f]{2}){5}$/i.test(typed) ? { source_mac: typed } : { source: typed };
}
