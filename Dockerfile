# farcall as an image: docker build -t farcall . && docker run --rm farcall --help
# Its modules to serve are mounted at /app, or copied there by an image that begins with: FROM farcall
ARG NODE_VERSION=24

FROM node:${NODE_VERSION}-slim AS build
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
# No package needs its install script here: the one of `node` would only fetch another Node.
RUN npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json ./
COPY scripts scripts
COPY src src
RUN node scripts/build.ts
# What is left are the packages that run, none of which has native code: the image below may have another libc.
RUN npm prune --omit=dev --ignore-scripts && chmod +x dist/cli/main.js

FROM node:${NODE_VERSION}-alpine
COPY --from=build /build/node_modules /opt/farcall/node_modules
COPY --from=build /build/package.json /opt/farcall/
COPY --from=build /build/dist /opt/farcall/dist
COPY LICENSE /opt/farcall/
RUN ln -s /opt/farcall/dist/cli/main.js /usr/local/bin/farcall
# Node's image has this user, who owns nothing here.
USER node
WORKDIR /app
# A server's and a registry's default.
EXPOSE 8089 9999
ENTRYPOINT ["farcall"]
CMD ["--help"]
