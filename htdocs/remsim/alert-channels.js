/** Channels: who is told how, whether it works, and a test that says what came of it. */

import { severityNode } from './alert-words.js';
import { ask } from './ask.js';
import { el, fill } from './dom.js';
import { FormView } from './form.js';
import { epoch, moment } from './format.js';
import { keptSecrets, shownValues } from './kept-secrets.js';
import { nameOf, sendable } from './rule-schema.js';
import { msg } from './words.js';

const CHANNEL_WORDS = {
	smtp: [msg('E-mail'), msg('By your mail server (SMTP), with STARTTLS.')],
	webhook: [msg('Webhook'), msg('A request to an address, signed, in Alertmanager’s form or your own.')],
	mqtt: [msg('MQTT'), msg('A message to a broker, for home automation.')],
	ntfy: [msg('ntfy'), msg('A push message to a phone, by ntfy.sh or your own server.')],
	syslog: [msg('System log'), msg('A line in the router’s log, which may go to a log server.')],
	browser: [msg('Browser'), msg('Pages that are open show it.')]
};

export class ChannelsTab {
	constructor(ctx) {
		const { t, options } = ctx;
		this._ctx = ctx;
		this._outcomes = new Map();
		this.list = el('ul.remsim-plainlist');
		this.none = el('p', {}, t('There is no channel yet: alerts are only shown here and in the journal. Add one so that somebody is told.'));
		this.error = el('p.remsim-problem', { role: 'alert', hidden: true });
		this.types = el('ul.remsim-plainlist');
		this.overview = el('div.remsim-stack', {}, el('section.remsim-panel', { 'aria-label': t('Channels') }, this.error, this.none, this.list),
			options.readonly ? null : el('section.remsim-panel', { 'aria-label': t('Add a channel') }, el('h2', {}, t('Add a channel')), this.types));
		this.place = el('div', { hidden: true });
		this.root = el('div', {}, this.overview, this.place);
		fill(this.types, Object.entries(CHANNEL_WORDS).map(([type, [word, help]]) => el('li.remsim-entry', {}, el('strong', {}, t(word)), el('span.remsim-entry-more', {}, t(help)),
			el('a.remsim-button', { href: ctx.address('channels', { type }), 'aria-label': t('Add: %s', t(word)) }, t('Add')))));
	}

	show() {
		this.none.hidden = this._ctx.channels.length > 0;
		this._rows();
		this._route();
	}

	route(asked) {
		this._asked = { name: asked.get('channel'), type: asked.get('type') };
		this._route();
	}

	leave() {
		this._shown = undefined;
	}

	_rows() {
		const { t, channels, address, options } = this._ctx;
		fill(this.list, channels.map(channel => {
			const outcome = this._outcomes.get(channel.name), label = channel.label || channel.name;
			return el(`li.remsim-entry${channel.enabled ? '' : '.remsim-entry-off'}`, { 'data-channel': channel.name },
				options.readonly ? el('strong', {}, label) : el('a', { href: address('channels', { channel: channel.name }) }, el('strong', {}, label)),
				el('span.remsim-mode', {}, t(CHANNEL_WORDS[channel.type]?.[0] || channel.type)), channel.min_severity && channel.min_severity !== 'info' ? el('span', {}, t('only from'), ' ', severityNode(channel.min_severity, t)) : null,
				channel.enabled ? null : el('span.remsim-muted', {}, t('off')),
				options.readonly ? null : el('button', { type: 'button', disabled: outcome?.isRunning, 'aria-label': t('Test %s', label), click: () => this._test(channel) }, t('Test')),
				el('span.remsim-entry-more', {}, this._state(channel)),
				el('span.remsim-entry-more', { role: 'status' }, outcome ? el(outcome.isGood ? 'span.remsim-good' : outcome.isRunning ? 'span.remsim-muted' : 'span.remsim-problem', {}, outcome.text) : null));
		}));
	}

	/** The queue, the last success and the last trouble in words. */
	_state({ state }) {
		const { t, store } = this._ctx, now = store.now();
		if (!state)
			return [];
		const when = at => moment(epoch(at), now, false);
		const { queue = 0, last_success: success, last_error: error } = state;
		const isBroken = error && (!success || epoch(error.at) > epoch(success));
		return [
			success ? t('last sent %s', when(success)) : t('nothing was sent yet'),
			queue ? [' · ', el('strong', {}, t('%s waiting', queue))] : null,
			isBroken ? [' · ', el('span.remsim-problem', {}, t('✖ failed %s: %s', when(error.at), t(error.message)))] : null
		];
	}

	async _test(channel) {
		const { t, request, channelsChanged } = this._ctx, tell = outcome => { this._outcomes.set(channel.name, outcome); this._rows(); };
		tell({ isRunning: true, text: t('Sending a test …') });
		try {
			const answer = await request(`alert-channels/${encodeURIComponent(channel.name)}/test`, { method: 'POST', body: {} });
			const job = answer.state && answer.id ? await this._ctx.jobEnd(answer) : { state: answer.ok === false ? 'failed' : 'done', error: answer.error };
			if (job.state !== 'done')
				throw Object.assign(new Error(job.error || t('The test did not end.')), { hint: job.hint });
			tell({ isGood: true, text: t('✓ The test was sent. See whether it came.') });
		} catch (error) {
			tell({ text: `✖ ${error.hint ? `${error.message} – ${error.hint}` : error.message}` });
		}
		await channelsChanged(null, false);
		[...this.list.children].find(row => row.dataset.channel === channel.name)?.querySelector('button')?.focus({ preventScroll: true });
	}

	async _route() {
		const { name, type } = this._asked || {}, { t, channels, options, request, address, isKnown } = this._ctx;
		const key = name || type ? `${name} ${type}` : null;
		if (key === this._shown || !isKnown)
			return;
		this._shown = key;
		this.overview.hidden = key !== null;
		this.place.hidden = key === null;
		fill(this.place);
		if (key === null)
			return;
		const channel = channels.find(one => one.name === name) || null, kind = channel?.type || type;
		if ((name && !channel) || !CHANNEL_WORDS[kind]) {
			fill(this.place, el('p.remsim-problem', {}, t('There is no channel %s any more.', name || type), ' ', el('a', { href: address('channels') }, t('All channels'))));
			return;
		}
		try {
			const schema = keptSecrets(await request('alert-channels/form', { query: { type: kind } }), channel);
			if (this._shown !== key)
				return;
			delete schema.properties.type;
			delete schema.properties.name;
			const form = new FormView(schema, {
				t, isReadonly: options.readonly, submitLabel: channel ? t('Save') : t('Add this channel'), submit: values => this._save(channel, kind, values),
				values: channel ? shownValues(channel) : { label: t(CHANNEL_WORDS[kind][0]), enabled: true, send_resolved: true, min_severity: 'info', security: 'starttls', verify_tls: true, facility: 'daemon' }
			});
			const heading = el('h2', { tabindex: '-1' }, channel ? channel.label || channel.name : t('New channel: %s', t(CHANNEL_WORDS[kind][0])));
			fill(this.place, el('section.remsim-editor', { 'aria-label': t('Channel') }, el('header.remsim-tools', {}, el('a', { href: address('channels') }, t('‹ All channels')), heading),
				el('div.remsim-panel', {}, kind === 'browser' ? el('p.remsim-help', {}, t('Which pages show it is chosen on each browser, under Alerts.')) : null, form.root,
					channel && !options.readonly ? el('p.remsim-editor-remove', {}, el('button.remsim-danger', { type: 'button', click: () => this._remove(channel, form) }, t('Delete this channel'))) : null)));
			heading.focus({ preventScroll: true });
		} catch (error) {
			this._shown = undefined;
			fill(this.place, el('p.remsim-problem', {}, error.message), el('button', { type: 'button', click: () => this._route() }, t('Try again')));
		}
	}

	async _save(channel, type, values) {
		const { t, request, channels, channelsChanged } = this._ctx;
		const name = channel ? channel.name : nameOf(values.label || type, channels.map(one => one.name));
		const body = sendable({ ...values, type, name });
		if (channel)
			await request(`alert-channels/${encodeURIComponent(name)}`, { method: 'PUT', body });
		else
			await request('alert-channels', { method: 'POST', body });
		this._outcomes.delete(name);
		await channelsChanged(channel ? t('%s is saved.', values.label || name) : t('%s is added. Send a test.', values.label || name));
	}

	async _remove(channel, form) {
		const { t, root, request, channelsChanged } = this._ctx, label = channel.label || channel.name;
		if (!await ask(root, { title: t('Delete the channel %s?', label), texts: [t('What waits in its queue is not sent any more.')], yes: t('Delete %s', label), t }))
			return;
		try {
			await request(`alert-channels/${encodeURIComponent(channel.name)}`, { method: 'DELETE' });
			await channelsChanged(t('%s is deleted.', label));
		} catch (error) {
			form.refuse(error);
		}
	}
}
