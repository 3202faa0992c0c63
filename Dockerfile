# Two images from one build: `server` (API, scheduler and workers, and the dashboard too) and `web` (the
# dashboard on a port of its own, everything else passed on to a server).
#   docker build --target server --tag heddle .
FROM node:22-bookworm-slim AS deps
WORKDIR /app
ENV CI=true
COPY package.json pnpm-lock.yaml pnpm-workspace.yaml ./
COPY server/package.json server/
COPY web/package.json web/
# The very pnpm that the lockfile was made with.
RUN npm install --global "$(node -p "require('./package.json').packageManager")" \
  && pnpm install --frozen-lockfile

FROM deps AS build
COPY tsconfig.base.json tsconfig.json codegen.ts prisma.config.ts ./
COPY tools tools
COPY prisma prisma
COPY server server
COPY web web
RUN node tools/build.mjs
# What the server needs to run, with none of what built it. Prisma's command line comes along as an
# optional peer of its client; nothing that runs here imports it.
RUN pnpm --filter @heddle/server deploy --prod --legacy /out \
  && cd /out/node_modules/.pnpm \
  && rm -rf prisma@* @prisma+studio-core@* @prisma+dev@* @prisma+engines@* effect@* typescript@*

FROM node:22-bookworm-slim AS server
WORKDIR /app
ENV NODE_ENV=production HOST=0.0.0.0 API_PORT=8080 DATA_DIR=/data
# Large pages for payloads on their way: docs/performance.md has what they are worth.
ENV GLIBC_TUNABLES=glibc.malloc.hugetlb=1
# The embedded database, where no DATABASE_URL is given, and the compiled job types of JOBS_DIR.
RUN mkdir /data && chown node:node /data
VOLUME /data
COPY package.json ./
# The server looks for migrations and dashboard beside its own folder.
COPY prisma/migrations prisma/migrations
COPY --from=build /app/web/dist web/dist
COPY --from=build /out/package.json server/
COPY --from=build /out/node_modules server/node_modules
COPY --from=build /app/server/dist server/dist
USER node
EXPOSE 8080
HEALTHCHECK --interval=5s --timeout=3s --start-period=60s --retries=5 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.API_PORT}/healthz`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
# As `npm start`: docs/performance.md has what the flags are worth.
CMD ["node", "--max-semi-space-size=64", "--no-allocation-site-pretenuring", "server/dist/main.js"]

FROM nginx:1-alpine AS web
COPY docker/nginx.conf /etc/nginx/conf.d/default.conf
COPY --from=build /app/web/dist /usr/share/nginx/html
EXPOSE 5173
