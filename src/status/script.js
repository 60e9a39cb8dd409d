"use strict"
{
  const SAMPLES_MAX = 120
  const samples = []
  const get = (id) => document.getElementById(id)
  const sum = (counts) => counts.reduce((one, other) => one + other, 0)
  const told = (number) => Math.round(number).toLocaleString("en")

  // The microseconds within which so many of a hundred were, of those counted between two looks.
  const within = (before, now, percent) => {
    const known = new Map(before.latency_micros)
    const fresh = now.latency_micros.map(([micros, count]) => [micros, count - (known.get(micros) ?? 0)])
    let left = (sum(fresh.map(([, count]) => count)) * percent) / 100
    return (fresh.find(([, count]) => (left -= count) <= 0 && count > 0) ?? [0])[0]
  }

  const figures = (before, now) => {
    const micros = now.uptime_micros - before.uptime_micros
    const rate = (name) => ((now[name] - before[name]) * 1e6) / micros
    return {
      busy: ((now.busy_micros - before.busy_micros) * 100) / micros,
      responses: ((sum(now.responses) - sum(before.responses)) * 1e6) / micros,
      bytes: rate("sent_bytes"),
      latency: within(before, now, 99),
      connections: now.connections.count,
      turns: rate("turns"),
    }
  }

  const units = {
    busy: (value) => `${told(value)} %`,
    bytes: (value) => (value < 1e6 ? `${told(value / 1e3)} kB` : `${told(value / 1e6)} MB`),
    latency: (value) => (value < 10000 ? `${told(value)} µs` : `${told(value / 1000)} ms`),
  }

  const verdict = ({ busy, responses }) => {
    if (responses < 1) return "Nobody asks for anything."
    const percent = told(busy)
    if (busy > 90) return `The loop is busy for ${percent} % of the time: the server is the bottleneck.`
    return `The loop sleeps for ${told(100 - busy)} % of the time: the client or the network is the bottleneck.`
  }

  const draw = (name, values) => {
    const most = name === "busy" ? 100 : Math.max(...values, 1)
    const first = SAMPLES_MAX - values.length
    const points = values.map((value, index) => `${first + index + 1},${39 - (value / most) * 38}`)
    get(`${name}-plot`).setAttribute("points", points.join(" "))
    get(name).textContent = (units[name] ?? told)(values.at(-1))
  }

  // The table is the page's own, as it is now. Nothing waits for it: a browser that has too many tabs open
  // here has no connection left.
  let isRefreshing = false
  const refresh = async () => {
    if (isRefreshing) return
    isRefreshing = true
    try {
      const answer = await fetch("./", { signal: AbortSignal.timeout(5000) })
      const page = new DOMParser().parseFromString(await answer.text(), "text/html")
      document.querySelector("table").replaceWith(page.querySelector("table"))
    } finally {
      isRefreshing = false
    }
  }

  let before
  const look = (now) => {
    refresh().catch(() => {})
    if (before && now.uptime_micros > before.uptime_micros) {
      samples.push(figures(before, now))
      samples.splice(0, samples.length - SAMPLES_MAX)
      Object.keys(samples[0]).forEach((name) => draw(name, samples.map((sample) => sample[name])))
      get("verdict").textContent = now.is_draining ? "pws is stopping." : verdict(samples.at(-1))
      get("plots").hidden = false
    }
    before = now
  }
  const complain = () => (get("verdict").textContent = "pws does not answer.")

  // pws tells once a second; where it is gone, the browser asks again by itself. Whoever does not look keeps
  // no connection.
  let events
  const listen = () => {
    events = new EventSource("events?topic=figures")
    events.addEventListener("figures", (event) => look(JSON.parse(event.data)))
    events.addEventListener("error", complain)
  }
  document.addEventListener("visibilitychange", () => (document.hidden ? events.close() : listen()))
  listen()
}
