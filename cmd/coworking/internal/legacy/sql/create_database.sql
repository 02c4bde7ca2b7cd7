create database legacy owner loader template template0
