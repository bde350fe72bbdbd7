-- Run once, when the data folder is made. The login that serves: no superuser, bypasses no policy;
-- `counterfoil migrate --grant-to counterfoil_service` gives it its roles.
CREATE ROLE counterfoil_service LOGIN PASSWORD 'counterfoil'
    NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS;
